/** The texts that Gatehouse writes. */

/** What comes in the place of a code where nobody may see on the page whether there is an account. */
export function noAccountText({ businessName }: { readonly businessName: string }): string {
  return `Somebody asked to sign in to ${businessName} with this number, which has no account there. If it was not you, ignore this.`;
}

/**
 * A one-time code. Its last line binds it to the pages: a phone fills it in there and nowhere else. It is written as
 * browsers and phones look for it, so it is not translated.
 */
export function codeText(input: { readonly code: string; readonly businessName: string; readonly issuer: string }): string {
  const { code, businessName, issuer } = input;
  return `${code} is your one-time code to sign in to ${businessName}\n@${new URL(issuer).hostname} #${code}`;
}
