/** The values of an enum whose names are those of the domain, in capitals. */
export function enumValues<Value extends string>(
  descriptions: Readonly<Record<Value, string>>,
): Record<string, { value: Value; description: string }> {
  const entries = Object.entries<string>(descriptions) as [Value, string][];
  return Object.fromEntries(entries.map(([value, description]) => [value.toUpperCase(), { value, description }]));
}
