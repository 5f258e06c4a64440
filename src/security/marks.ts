/**
 * Long lists in little memory: of each entry a table holds a 32-bit mark, at a place that follows from another hash. None
 * of the entries is missed, and what is none of them is taken for one once in some thousand million questions.
 */
export class Marks {
  readonly #marks: Uint32Array;

  /** @param places a power of two, of which the entries fill less than a half */
  constructor(places: number) {
    this.#marks = new Uint32Array(places);
  }

  add(entry: string): void {
    const [place, mark] = this.#find(entry);
    this.#marks[place] = mark;
  }

  has(entry: string): boolean {
    const [place, mark] = this.#find(entry);
    return this.#marks[place] === mark;
  }

  /** Where an entry's mark is, or would be put; and the mark, which is never 0. */
  #find(entry: string): [place: number, mark: number] {
    const last = this.#marks.length - 1;
    const mark = hash(entry, 0x9e3779b1) || 1;
    let place = hash(entry, 0x5f356495) & last;
    while (this.#marks[place] !== 0 && this.#marks[place] !== mark) place = (place + 1) & last;
    return [place, mark];
  }
}

/** Multiplied and mixed, as MurmurHash3 ends; each odd factor makes a hash of its own. */
function hash(text: string, factor: number): number {
  let value = text.length;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), factor) ^ (value >>> 15);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
