/** The texts that Gatehouse writes. */

/**
 * A one-time code. Its last line binds it to the pages: a phone fills it in there and nowhere else. It is written as
 * browsers and phones look for it, so it is not translated.
 */
export function codeText(input: { readonly code: string; readonly businessName: string; readonly issuer: string }): string {
  const { code, businessName, issuer } = input;
  return `${code} is your one-time code to sign in to ${businessName}\n@${new URL(issuer).hostname} #${code}`;
}
