/** The package brings no types of its own. */
declare module 'unix-crypt-td-js' {
  /** crypt(3) with DES: 13 characters. Bytes rather than text, because it takes one byte of each UTF-16 unit. */
  export default function unixCrypt(password: readonly number[], salt: string): string;
}
