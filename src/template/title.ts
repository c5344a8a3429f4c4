// Title case by Unicode's rules (https://www.unicode.org/versions/latest/core-spec/chapter-3/#G33992), as
// golang.org/x/text/cases has it. JavaScript knows upper and lower case only.

const cased = /\p{Cased}/u
/** Marks that join two parts of a word, unless there are two of them. */
const joins = /['.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a]/u
const inWord = /[\p{Alphabetic}\p{Nd}\p{M}\p{Cf}\p{Pc}]/u
/** Scripts that are written without spaces, where any character may end a word. */
const unspaced = /[\p{Ideographic}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u

/** First letters of words in title case, all others in lower case. */
export function title(text: string): string {
  let result = ''
  let isInside = false
  let joined = false
  const characters = Array.from(text)
  for (const [i, one] of characters.entries()) {
    const isJoint = joins.test(one)
    if (joined && isJoint) isInside = false
    joined = isJoint
    if (cased.test(one)) {
      result += isInside ? lowerOf(characters, i) : titleOf(one)
      isInside = true
    } else {
      result += one
      if (!isJoint && (!inWord.test(one) || unspaced.test(one))) isInside = false
    }
  }
  return result
}

/** A sigma is another one at the end of a word. */
function lowerOf(characters: readonly string[], at: number): string {
  const one = characters[at] ?? ''
  if (one !== 'Σ') return one.toLowerCase()
  let next = at + 1
  while (/\p{Case_Ignorable}/u.test(characters[next] ?? '')) next += 1
  return cased.test(characters[next] ?? '') ? 'σ' : 'ς'
}

/** One letter in title case, which may make more of it: `ß` is `Ss`. */
export function titleOf(one: string): string {
  const known = titles.get(one)
  if (known !== undefined) return known
  if (/[\u10d0-\u10fa\u10fd-\u10ff]/.test(one)) return one // Georgian has capitals for shouting only
  const [first = '', ...rest] = one.toUpperCase()
  return first + rest.map((more) => (more === 'Ι' ? '\u0345' : more.toLowerCase())).join('')
}

const greek = ['ᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾳῃῳ', 'ᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾼῌῼ'].map((letters) => [...letters])
const titles = new Map([
  ...['ǅ', 'ǈ', 'ǋ', 'ǲ'].flatMap((one): [string, string][] => [
    [one.toLowerCase(), one],
    [one, one],
    [one.toUpperCase(), one],
  ]),
  ...(greek[0] ?? []).map((one, i): [string, string] => [one, greek[1]?.[i] ?? one]),
  ...(greek[1] ?? []).map((one): [string, string] => [one, one]),
  ['ŉ', 'ʼN'],
])
