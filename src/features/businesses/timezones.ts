/** The time zones of the IANA database, as this process knows them. */
let known: readonly string[] | undefined;

/** Their names, sorted, UTC among them. */
export function timezones(): readonly string[] {
  known ??= [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])].sort();
  return known;
}
