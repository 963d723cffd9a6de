/**
 * Words of a day are those of the time zone in which a row was indexed, and a person may have moved since. Between these two lies every
 * day that any zone may have at a moment (POSIX signs: `Etc/GMT+12` is behind).
 */
const OUTERMOST = ["Etc/GMT+12", "UTC", "Etc/GMT-14"];

/** Those in which a row may have been indexed, that of now first. */
export function possibleTimeZones(timeZone: string): readonly string[] {
  return [timeZone, ...OUTERMOST];
}
