/** The date lines of Google's activity log as HTML: in the person's language and time zone, to the second. */
import { plausible } from "./text.ts";

/** January to December as English, German, French, Spanish, Portuguese, Italian, Dutch, the Scandinavian languages and Slovene write them. */
const MONTHS: ReadonlyMap<string, number> = new Map(
  [
    "jan january januar janvier janv enero ene janeiro gennaio gen januari",
    "feb february februar février févr fév febrero fevereiro fev febbraio februari",
    "mar march märz mär mrz mars marzo março maart mrt marec",
    "apr april avril avr abril abr aprile",
    "may mai mayo maio maggio mag mei maj",
    "jun june juni juin junio junho giugno giu junij",
    "jul july juli juillet juil julio julho luglio lug julij",
    "aug august août agosto ago augustus augusti avgust avg",
    "sep sept september septembre septiembre setembro set settembre",
    "oct october oktober okt octobre octubre outubro out ottobre ott",
    "nov november novembre noviembre novembro",
    "dec december dezember dez décembre déc diciembre dic dezembro dicembre desember des",
  ].flatMap((names, month) => names.split(" ").map((name): [string, number] => [name, month])),
);

/**
 * Hours from UTC. Only names that one zone bears where dates are written like this: IST is India, Israel and Ireland, so it is not
 * known. CST and BST are the American and the British, since the others are written as GMT with hours.
 */
const ZONES: ReadonlyMap<string, number> = new Map(
  [
    { hours: -10, names: "HST" },
    { hours: -9, names: "AKST" },
    { hours: -8, names: "PST AKDT" },
    { hours: -7, names: "MST PDT" },
    { hours: -6, names: "CST MDT" },
    { hours: -5, names: "EST CDT" },
    { hours: -4, names: "EDT" },
    { hours: -3.5, names: "NST" },
    { hours: -3, names: "BRT ART" },
    { hours: -2.5, names: "NDT" },
    { hours: 0, names: "Z UTC GMT WET" },
    { hours: 1, names: "CET MEZ BST WEST" },
    { hours: 2, names: "CEST MESZ EET OEZ SAST" },
    { hours: 3, names: "EEST OESZ MSK" },
    { hours: 5, names: "PKT" },
    { hours: 8, names: "HKT SGT AWST" },
    { hours: 9, names: "JST KST" },
    { hours: 9.5, names: "ACST" },
    { hours: 10, names: "AEST" },
    { hours: 10.5, names: "ACDT" },
    { hours: 11, names: "AEDT" },
    { hours: 12, names: "NZST" },
    { hours: 13, names: "NZDT" },
  ].flatMap(({ hours, names }) => names.split(" ").map((name): [string, number] => [name, hours])),
);

const CLOCK = String.raw`(?<hour>\d{1,2})[:.](?<minute>\d{2})[:.](?<second>\d{2})(?: ?(?<half>[AP])\.?M\.?)?`;
const ZONE = String.raw`(?:(?:GMT|UTC)?(?<sign>[+−-])(?<hours>\d{1,2})(?::?(?<minutes>\d{2}))?|(?<zone>[A-Z]{1,5}))`;

/** Without a line for dates like 3/4/2026, of which nobody knows what is the month. */
const DATES = [
  String.raw`(?<name>\p{L}{3,12})\.? (?<day>\d{1,2}), (?<year>\d{4})`,
  String.raw`(?<day>\d{1,2})\.? (?:de )?(?<name>\p{L}{3,12})\.? (?:de )?(?<year>\d{4})`,
  String.raw`(?<day>\d{1,2})\. ?(?<month>\d{1,2})\. ?(?<year>\d{4})`,
  String.raw`(?<year>\d{4})[/-](?<month>\d{1,2})[/-](?<day>\d{1,2})`,
  String.raw`(?<year>\d{4})年(?<month>\d{1,2})月(?<day>\d{1,2})日`,
].map((date) => new RegExp(`^${date},?(?: | à | um | at )${CLOCK} ?${ZONE}$`, "iu"));

/** Longer lines are no dates; arbitrary. */
const MAX_CHARS = 80;

/** True for a line that is a date with a time of day, in whatever language and digits: a year, a clock, and hardly anything else. */
export function looksLikeTime(line: string): boolean {
  return (
    line.length <= MAX_CHARS &&
    /\p{Nd}{4}/u.test(line) &&
    /\p{Nd}[:.]\p{Nd}{2}[:.]\p{Nd}{2}(?!\p{Nd})/u.test(line)
  );
}

/** Milliseconds; null for a language, an order or a zone that is not known. */
export function activityTime(line: string): number | null {
  if (line.length > MAX_CHARS) return null;
  // Some languages have a narrow no-break space before AM and PM.
  const text = line.replaceAll(/\s/g, " ").trim();
  for (const pattern of DATES) {
    const groups = pattern.exec(text)?.groups;
    if (groups !== undefined) return timeOf(groups);
  }
  return null;
}

function timeOf(groups: Readonly<Record<string, string | undefined>>): number | null {
  const { name, half } = groups;
  const numberOf = (key: string) => Number(groups[key] ?? "0");
  const month = name === undefined ? numberOf("month") - 1 : MONTHS.get(name.toLowerCase());
  const offset = offsetOf(groups);
  const clock = numberOf("hour");
  const isTwelveHours = half !== undefined;
  if (month === undefined || offset === null) return null;
  if (isTwelveHours ? clock < 1 || clock > 12 : clock > 23) return null;
  const hour = isTwelveHours ? (clock % 12) + (half.toUpperCase() === "P" ? 12 : 0) : clock;
  const [year, day, minute, second] = ["year", "day", "minute", "second"].map(numberOf);
  const time = Date.UTC(year ?? 0, month, day, hour, minute, second);
  // A day that the month does not have would be one of the next month.
  const isDay = new Date(time).getUTCMonth() === month && (minute ?? 0) < 60 && (second ?? 0) < 60;
  return isDay ? plausible(time - offset) : null;
}

const HOUR_MS = 60 * 60 * 1000;
/** Of the zone that is furthest ahead, Kiribati's. */
const MAX_OFFSET_HOURS = 14;

/** Milliseconds from UTC. */
function offsetOf({
  sign,
  hours,
  minutes,
  zone,
}: Readonly<Record<string, string | undefined>>): number | null {
  if (zone !== undefined) {
    const known = ZONES.get(zone.toUpperCase());
    return known === undefined ? null : known * HOUR_MS;
  }
  const offset = Number(hours ?? "0") + Number(minutes ?? "0") / 60;
  if (offset > MAX_OFFSET_HOURS) return null;
  return (sign === "+" ? offset : -offset) * HOUR_MS;
}
