/** Phone numbers as people type them, and the countries that they choose from. The metadata is large: it is loaded when somebody first needs it. */

const metadata = () => import('libphonenumber-js/max');

/** A number as it is kept (E.164), with the country that it is of: those of a shared code are told apart by it. */
export interface PhoneNumber {
  readonly number: string;
  /** ISO 3166-1, in capitals; undefined for a number of no country. */
  readonly country: string | undefined;
}

/** The number that somebody typed in a country's own way, or with its country code; undefined where there can be no such number. */
export async function parseNumber(text: string, country: string): Promise<PhoneNumber | undefined> {
  const { isSupportedCountry, parsePhoneNumberFromString } = await metadata();
  if (text.length > 50) return undefined;
  const parsed = parsePhoneNumberFromString(text, { ...(isSupportedCountry(country) && { defaultCountry: country }), extract: false });
  return parsed?.isValid() && !parsed.ext ? { number: parsed.number, country: parsed.country } : undefined;
}

/** The number as people of its own country write it. */
export async function nationalForm(number: string): Promise<{ readonly text: string; readonly country: string } | undefined> {
  const { parsePhoneNumberFromString } = await metadata();
  const parsed = parsePhoneNumberFromString(number);
  return parsed?.country && { text: parsed.formatNational(), country: parsed.country };
}

export async function isCountry(text: string): Promise<boolean> {
  return (await metadata()).isSupportedCountry(text);
}

export interface Country {
  /** ISO 3166-1, in capitals. */
  readonly code: string;
  readonly name: string;
  /** As `+61`. */
  readonly callingCode: string;
}

const known = new Map<string, readonly Country[]>();

/** Every country that has phone numbers, by its name in the language and in that language's order. */
export async function countriesIn(language: string): Promise<readonly Country[]> {
  const kept = known.get(language);
  if (kept) return kept;
  const { getCountries, getCountryCallingCode } = await metadata();
  const names = new Intl.DisplayNames([language], { type: 'region' });
  const countries = getCountries().map((code) => ({ code, name: names.of(code) ?? code, callingCode: `+${getCountryCallingCode(code)}` }));
  countries.sort((a, b) => a.name.localeCompare(b.name, language));
  known.set(language, countries);
  return countries;
}
