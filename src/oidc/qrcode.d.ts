/** The one function of the package that is used; it brings no types. */
declare module 'qrcode' {
  const qrcode: { toDataURL(text: string): Promise<string> };
  export default qrcode;
}
