/** The colours of a brand: which there are, what can be read on what, and what follows from them. */
import { InvalidInputError } from '../../kernel/errors.ts';

/** What has a colour of its own in each of the two themes. */
export const COLOR_NAMES = ['background', 'card', 'input', 'text', 'link', 'button', 'buttonText'] as const;
export type ColorName = (typeof COLOR_NAMES)[number];

/** Colours as `#rrggbb`. */
export type Colors = { readonly [name in ColorName]?: string | null | undefined };

/** As `assets/gatehouse.css` has them. */
const DEFAULTS = {
  light: {
    background: '#f4f4f6',
    card: '#ffffff',
    input: '#ffffff',
    text: '#1b1b21',
    link: '#1d4ed8',
    button: '#1d4ed8',
    buttonText: '#ffffff',
  },
  dark: {
    background: '#111116',
    card: '#1c1c23',
    input: '#1c1c23',
    text: '#ececf1',
    link: '#8ab0ff',
    button: '#8ab0ff',
    buttonText: '#0d1530',
  },
} as const satisfies Record<string, Record<ColorName, string>>;

export type ThemeName = keyof typeof DEFAULTS;

/** What is written on what. */
const PAIRS = [
  ['text', 'card'],
  ['text', 'input'],
  ['link', 'card'],
  ['buttonText', 'button'],
] as const satisfies readonly (readonly [ColorName, ColorName])[];

/** What WCAG 2.2 AA asks of text, and of the edges of what can be used (1.4.3, 1.4.11). */
const READABLE = 4.5;
const VISIBLE = 3;

/**
 * Colours as they are kept. One that is left out is the fallback's, and is chosen anew where it could not be read; one
 * that is given and cannot be read on what is behind it is refused.
 * @throws InvalidInputError INVALID_COLOR or LOW_CONTRAST
 */
export function checkColors(colors: Colors, theme: ThemeName, fallback: Colors, field: string): Record<string, string> {
  const given = Object.fromEntries(COLOR_NAMES.flatMap((name) => (colors[name] ? [[name, colors[name].toLowerCase()]] : [])));
  for (const [name, color] of Object.entries(given))
    if (!/^#[0-9a-f]{6}$/.test(color)) throw new InvalidInputError('INVALID_COLOR', 'A colour is written as #rrggbb.', [field, name]);
  const all = complete([given, fallback], theme);
  for (const [front, back] of PAIRS) {
    const ratio = given[front] ? contrast(given[front], all[back]) : READABLE;
    if (ratio < READABLE)
      throw new InvalidInputError(
        'LOW_CONTRAST',
        `The colour ${given[front]} cannot be read on ${all[back]}: their contrast is ${ratio.toFixed(2)} to 1, and 4.5 are needed.`,
        [field, front],
      );
  }
  return given;
}

/** Each colour of the first that has it, an input being like its card. */
function complete(sources: readonly Colors[], theme: ThemeName): Record<ColorName, string> {
  const found = (name: ColorName) => sources.find((colors) => colors[name])?.[name];
  const all = Object.fromEntries(COLOR_NAMES.map((name) => [name, found(name) ?? DEFAULTS[theme][name]])) as Record<ColorName, string>;
  return { ...all, input: found('input') ?? all.card };
}

/** What a theme's colours come to, by what they are for; whatever was given, all of it can be read. */
export function paletteOf(sources: readonly Colors[], theme: ThemeName) {
  const { background, card, input, text: wanted, link: wantedLink, button, buttonText } = complete(sources, theme);
  const text = readable([wanted], card);
  const link = readable([wantedLink, button, text], card);
  const bad = readable(theme === 'light' ? ['#b3191f', '#ff9b9b'] : ['#ff9b9b', '#b3191f'], card);
  const surface = mix(bad, card, 0.08);
  return {
    page: background,
    card,
    field: input,
    'on-field': readable([wanted], input),
    text,
    quiet: faded(text, [card], READABLE, 0.6),
    'quiet-on-page': faded(readable([text], background), [background], READABLE, 0.6),
    line: faded(text, [card, input], VISIBLE, 0.4),
    accent: link,
    button,
    'on-button': readable([buttonText], button),
    bad,
    'bad-surface': contrast(bad, surface) >= READABLE ? surface : card,
  };
}

/** The declarations of a palette, for a stylesheet. */
export function declarations(sources: readonly Colors[], theme: ThemeName): string {
  return Object.entries(paletteOf(sources, theme))
    .map(([name, color]) => `--${name}:${color}`)
    .join(';');
}

/** The first that can be read on this, else black or white. */
function readable(fronts: readonly string[], back: string): string {
  const best = contrast('#000000', back) >= contrast('#ffffff', back) ? '#000000' : '#ffffff';
  return fronts.find((front) => contrast(front, back) >= READABLE) ?? best;
}

/** A colour that steps back towards what is behind it, as far as it is still told from all of it. */
function faded(front: string, backs: readonly string[], enough: number, from: number): string {
  for (let share = from; share < 1; share += 0.05) {
    const color = mix(front, backs[0]!, share);
    if (backs.every((back) => contrast(color, back) >= enough)) return color;
  }
  return front;
}

function mix(front: string, back: string, share: number): string {
  const [f, b] = [channels(front), channels(back)];
  return `#${f
    .map((value, at) =>
      Math.round(value * share + b[at]! * (1 - share))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** The contrast ratio of WCAG 2.2, from 1 to 21. */
export function contrast(a: string, b: string): number {
  const [lighter, darker] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = channels(color).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
