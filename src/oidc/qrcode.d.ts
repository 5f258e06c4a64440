/** The functions of the package that are used; it brings no types. */
declare module 'qrcode' {
  const qrcode: {
    toDataURL(text: string): Promise<string>;
    toString(text: string, options: { type: 'svg'; maskPattern?: number }): Promise<string>;
  };
  export default qrcode;
}
