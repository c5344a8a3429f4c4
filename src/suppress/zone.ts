// Names of IANA's time zones that are links to others (its file `backward`), for which Intl has one spelling or another.
const links: Record<string, string> = {
  Africa: `Asmara Asmera Timbuktu`,
  America: `Argentina/Buenos_Aires Argentina/Catamarca Argentina/ComodRivadavia Argentina/Cordoba Argentina/Jujuy
    Argentina/Mendoza Atikokan Atka Buenos_Aires Catamarca Coral_Harbour Cordoba Ensenada Fort_Wayne Godthab
    Indiana/Indianapolis Indianapolis Jujuy Kentucky/Louisville Knox_IN Kralendijk Louisville Lower_Princes
    Marigot Mendoza Montreal Nipigon Nuuk Pangnirtung Porto_Acre Rainy_River Rosario Santa_Isabel Shiprock
    St_Barthelemy Thunder_Bay Virgin Yellowknife`,
  Antarctica: `South_Pole`,
  Arctic: `Longyearbyen`,
  Asia: `Ashkhabad Calcutta Choibalsan Chongqing Chungking Dacca Harbin Ho_Chi_Minh Istanbul Kashgar Kathmandu
    Katmandu Kolkata Macao Rangoon Saigon Tel_Aviv Thimbu Ujung_Pandang Ulan_Bator Yangon`,
  Atlantic: `Faeroe Faroe Jan_Mayen`,
  Australia: `ACT Canberra Currie LHI NSW North Queensland South Tasmania Victoria West Yancowinna`,
  Brazil: `Acre DeNoronha East West`,
  '': `CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong
    Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland
    Portugal ROC ROK Singapore Turkey UCT UTC Universal W-SU WET Zulu`,
  Canada: `Atlantic Central Eastern Mountain Newfoundland Pacific Saskatchewan Yukon`,
  Chile: `Continental EasterIsland`,
  Etc: `GMT GMT0 Greenwich UCT UTC Universal Zulu`,
  Europe: `Belfast Bratislava Busingen Kiev Kyiv Mariehamn Nicosia Podgorica San_Marino Tiraspol Uzhgorod Vatican
    Zaporozhye`,
  Mexico: `BajaNorte BajaSur General`,
  Pacific: `Chuuk Enderbury Johnston Kanton Pohnpei Ponape Samoa Truk Yap`,
  US: `Alaska Aleutian Arizona Central East-Indiana Eastern Hawaii Indiana-Starke Michigan Mountain Pacific
    Samoa`,
}

const zones = new Set(Intl.supportedValuesOf('timeZone'))
for (const [area, names] of Object.entries(links)) {
  for (const name of names.split(/\s+/)) zones.add(area === '' ? name : `${area}/${name}`)
}
for (let hour = -14; hour <= 12; hour++) zones.add(`Etc/GMT${hour < 0 ? hour : `+${hour}`}`).add('Etc/GMT-0')

/** Whether a zone is IANA's, in its own spelling: other programs tell `europe/paris` from `Europe/Paris`, Intl does not. */
export function isZone(name: string): boolean {
  return name === '' || name === 'Local' || (zones.has(name) && isKnown(name))
}

/** A runtime may be older than a zone. */
function isKnown(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
