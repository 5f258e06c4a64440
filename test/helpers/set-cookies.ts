/** Notes the cookies that answers set while `work` runs. */
export async function withCookies<T>(cookies: string[], work: () => Promise<T>): Promise<T> {
  const real = globalThis.fetch;
  globalThis.fetch = async (...args) => {
    const response = await real(...args);
    cookies.push(...response.headers.getSetCookie());
    return response;
  };
  return work().finally(() => {
    globalThis.fetch = real;
  });
}
