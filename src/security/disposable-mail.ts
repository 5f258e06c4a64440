/** Addresses that are made to be thrown away, by the list of the package `mailchecker`: half a megabyte of marks, made when first asked for. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Marks } from './marks.ts';

/** A power of two, of which some sixty thousand domains fill less than a half. */
const PLACES = 1 << 17;

let domains: Marks | undefined;

/** Is the address at a domain, or below one, that gives out disposable addresses? */
export function isDisposable(email: string): boolean {
  domains ??= readList();
  const listed = domains;
  const labels = email
    .slice(email.lastIndexOf('@') + 1)
    .toLowerCase()
    .split('.');
  return labels.some((_label, at) => at < labels.length - 1 && listed.has(labels.slice(at).join('.')));
}

/** From the text of the module: were it run, its own copy of the list would stay, which is thirty times as large. */
function readList(): Marks {
  const text = readFileSync(createRequire(import.meta.url).resolve('mailchecker'), 'utf8');
  const start = text.indexOf('[', text.indexOf('new Set('));
  const marks = new Marks(PLACES);
  for (const domain of JSON.parse(text.slice(start, text.indexOf(']', start) + 1)) as string[]) marks.add(domain);
  return marks;
}
