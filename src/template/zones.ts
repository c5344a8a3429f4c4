/**
 * Abbreviations of time zones as the IANA database has them (https://www.iana.org/time-zones, rules of 2026):
 * names with their minutes east of UTC, then the zones that use them, `Area/Place,Place`. Zones that are not
 * here have numbers for names, such as `+03`.
 */
const table: readonly (readonly [names: string, zones: string])[] = [
  ['ACDT+630 ACST+570', 'Australia/Adelaide,Broken_Hill,South,Yancowinna'],
  ['ACST+570', 'Australia/Darwin,North'],
  ['ADT-180 AST-240', 'America/Glace_Bay,Goose_Bay,Halifax,Moncton,Thule Atlantic/Bermuda Canada/Atlantic'],
  [
    'AEDT+660 AEST+600',
    'Antarctica/Macquarie Australia/ACT,Canberra,Currie,Hobart,Melbourne,NSW,Sydney,Tasmania,Victoria',
  ],
  ['AEST+600', 'Australia/Brisbane,Lindeman,Queensland'],
  ['AKDT-480 AKST-540', 'America/Anchorage,Juneau,Metlakatla,Nome,Sitka,Yakutat US/Alaska'],
  [
    'AST-240',
    'America/Anguilla,Antigua,Aruba,Barbados,Blanc-Sablon,Curacao,Dominica,Grenada,Guadeloupe,Kralendijk,Lower_Princes,Marigot,Martinique,Montserrat,Port_of_Spain,Puerto_Rico,Santo_Domingo,St_Barthelemy,St_Kitts,St_Lucia,St_Thomas,St_Vincent,Tortola,Virgin',
  ],
  ['AWST+480', 'Australia/Perth,West'],
  ['BST+60 GMT+0', 'GB,GB-Eire Europe/Belfast,Guernsey,Isle_of_Man,Jersey,London'],
  ['CAT+120', 'Africa/Blantyre,Bujumbura,Gaborone,Harare,Juba,Khartoum,Kigali,Lubumbashi,Lusaka,Maputo,Windhoek'],
  ['CDT-240 CST-300', 'Cuba America/Havana'],
  [
    'CDT-300 CST-360',
    'CST6CDT America/Chicago,Knox_IN,Matamoros,Menominee,Ojinaga,Rainy_River,Rankin_Inlet,Resolute,Winnipeg America/Indiana/Knox,Tell_City America/North_Dakota/Beulah,Center,New_Salem Canada/Central US/Central,Indiana-Starke',
  ],
  [
    'CEST+120 CET+60',
    'CET,Poland Africa/Ceuta Arctic/Longyearbyen Atlantic/Jan_Mayen Europe/Amsterdam,Andorra,Belgrade,Berlin,Bratislava,Brussels,Budapest,Busingen,Copenhagen,Gibraltar,Ljubljana,Luxembourg,Madrid,Malta,Monaco,Oslo,Paris,Podgorica,Prague,Rome,San_Marino,Sarajevo,Skopje,Stockholm,Tirane,Vaduz,Vatican,Vienna,Warsaw,Zagreb,Zurich',
  ],
  ['CET+60', 'Africa/Algiers,Tunis'],
  ['CST+480', 'PRC,ROC Asia/Chongqing,Chungking,Harbin,Macao,Macau,Shanghai,Taipei'],
  [
    'CST-360',
    'America/Bahia_Banderas,Belize,Chihuahua,Costa_Rica,El_Salvador,Guatemala,Managua,Merida,Mexico_City,Monterrey,Regina,Swift_Current,Tegucigalpa Canada/Saskatchewan Mexico/General',
  ],
  ['ChST+600', 'Pacific/Guam,Saipan'],
  [
    'EAT+180',
    'Africa/Addis_Ababa,Asmara,Asmera,Dar_es_Salaam,Djibouti,Kampala,Mogadishu,Nairobi Indian/Antananarivo,Comoro,Mayotte',
  ],
  [
    'EDT-240 EST-300',
    'EST5EDT America/Detroit,Fort_Wayne,Grand_Turk,Indianapolis,Iqaluit,Louisville,Montreal,Nassau,New_York,Nipigon,Pangnirtung,Port-au-Prince,Thunder_Bay,Toronto America/Indiana/Indianapolis,Marengo,Petersburg,Vevay,Vincennes,Winamac America/Kentucky/Louisville,Monticello Canada/Eastern US/East-Indiana,Eastern,Michigan',
  ],
  [
    'EEST+180 EET+120',
    'EET,Egypt Africa/Cairo Asia/Beirut,Famagusta,Gaza,Hebron,Nicosia Europe/Athens,Bucharest,Chisinau,Helsinki,Kiev,Kyiv,Mariehamn,Nicosia,Riga,Sofia,Tallinn,Tiraspol,Uzhgorod,Vilnius,Zaporozhye',
  ],
  ['EET+120', 'Libya Africa/Tripoli Europe/Kaliningrad'],
  ['EST-300', 'EST,Jamaica America/Atikokan,Cancun,Cayman,Coral_Harbour,Jamaica,Panama'],
  [
    'GMT+0',
    'GMT,GMT+0,GMT-0,GMT0,Greenwich,Iceland Africa/Abidjan,Accra,Bamako,Banjul,Bissau,Conakry,Dakar,Freetown,Lome,Monrovia,Nouakchott,Ouagadougou,Sao_Tome,Timbuktu America/Danmarkshavn Atlantic/Reykjavik,St_Helena Etc/GMT,GMT+0,GMT-0,GMT0,Greenwich',
  ],
  ['GMT+0 IST+60', 'Eire Europe/Dublin'],
  ['HDT-540 HST-600', 'America/Adak,Atka US/Aleutian'],
  ['HKT+480', 'Hongkong Asia/Hong_Kong'],
  ['HST-600', 'HST Pacific/Honolulu,Johnston US/Hawaii'],
  ['IDT+180 IST+120', 'Israel Asia/Jerusalem,Tel_Aviv'],
  ['IST+330', 'Asia/Calcutta,Kolkata'],
  ['JST+540', 'Japan Asia/Tokyo'],
  ['KST+540', 'ROK Asia/Pyongyang,Seoul'],
  [
    'MDT-360 MST-420',
    'MST7MDT,Navajo America/Boise,Cambridge_Bay,Ciudad_Juarez,Denver,Edmonton,Inuvik,Shiprock,Yellowknife Canada/Mountain US/Mountain',
  ],
  ['MEST+120 MET+60', 'MET'],
  ['MSK+180', 'W-SU Europe/Kirov,Moscow,Simferopol,Volgograd'],
  [
    'MST-420',
    'MST America/Creston,Dawson,Dawson_Creek,Fort_Nelson,Hermosillo,Mazatlan,Phoenix,Whitehorse Canada/Yukon Mexico/BajaSur US/Arizona',
  ],
  ['NDT-150 NST-210', 'America/St_Johns Canada/Newfoundland'],
  ['NZDT+780 NZST+720', 'NZ Antarctica/McMurdo,South_Pole Pacific/Auckland'],
  [
    'PDT-420 PST-480',
    'PST8PDT America/Ensenada,Los_Angeles,Santa_Isabel,Tijuana,Vancouver Canada/Pacific Mexico/BajaNorte US/Pacific',
  ],
  ['PKT+300', 'Asia/Karachi'],
  ['PST+480', 'Asia/Manila'],
  ['SAST+120', 'Africa/Johannesburg,Maseru,Mbabane'],
  ['SST-660', 'Pacific/Midway,Pago_Pago,Samoa US/Samoa'],
  ['UTC+0', 'UCT,UTC,Universal,Zulu Etc/UCT,UTC,Universal,Zulu'],
  ['WAT+60', 'Africa/Bangui,Brazzaville,Douala,Kinshasa,Lagos,Libreville,Luanda,Malabo,Ndjamena,Niamey,Porto-Novo'],
  ['WEST+60 WET+0', 'Portugal,WET Atlantic/Canary,Faeroe,Faroe,Madeira Europe/Lisbon'],
  ['WIB+420', 'Asia/Jakarta,Pontianak'],
  ['WIT+540', 'Asia/Jayapura'],
  ['WITA+480', 'Asia/Makassar,Ujung_Pandang'],
]

const zones = new Map(
  table.flatMap(([names, areas]) =>
    areas.split(' ').flatMap((group) => {
      const slash = group.lastIndexOf('/') + 1
      const places = group.slice(slash).split(',')
      return places.map((place): [string, string] => [group.slice(0, slash) + place, names])
    }),
  ),
)

/** What a zone calls its time at an offset, seconds east of UTC: `CEST`, `+03`. */
export function abbreviation(zone: string, seconds: number): string {
  if (seconds % 60 !== 0) return 'LMT' // before there were zones, by the sun
  const offset = seconds / 60
  for (const name of zones.get(zone)?.split(' ') ?? []) {
    const found = /^(\w+)([+-]\d+)$/.exec(name)
    if (found?.[1] && Number(found[2]) === offset) return found[1]
  }
  const minutes = Math.abs(offset)
  const pad = (number: number) => String(number).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${minutes % 60 === 0 ? '' : pad(minutes % 60)}`
}
