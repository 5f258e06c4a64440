/**
 * Which SVG pictures are kept: those made of nothing but what draws. Read by a strict XML parser, element by element
 * against lists of what is allowed; nothing is taken out of a picture, the whole of it is kept or refused.
 */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { InvalidInputError } from '../../kernel/errors.ts';

const SVG = 'http://www.w3.org/2000/svg';
const XLINK = 'http://www.w3.org/1999/xlink';
const XML = 'http://www.w3.org/XML/1998/namespace';
const XMLNS = 'http://www.w3.org/2000/xmlns/';

/** What drawing programs note for themselves: no browser does anything with it. */
const INERT = new Set([
  'http://www.inkscape.org/namespaces/inkscape',
  'http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd',
  'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  'http://creativecommons.org/ns#',
  'http://web.resource.org/cc/',
  'http://purl.org/dc/elements/1.1/',
  'http://www.serif.com/',
  'http://www.bohemiancoding.com/sketch/ns',
]);

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** No script, no foreign content, no link, no animation. */
const ELEMENTS = words(`
  svg g defs symbol use switch title desc metadata style
  path rect circle ellipse line polyline polygon text tspan textPath image
  linearGradient radialGradient stop pattern clipPath mask marker
  filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight
  feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight
  feSpecularLighting feSpotLight feTile feTurbulence
`);

/** Those whose value is only a name or a sentence. */
const PLAIN_ATTRIBUTES = words('id class role lang version baseProfile focusable');

/** Those whose value is read for drawing, by the rules of CSS or stricter ones. */
const DRAWING_ATTRIBUTES = words(`
  style media type transform transform-origin transform-box viewBox preserveAspectRatio x y x1 y1 x2 y2 dx dy cx cy r rx ry fx fy fr width height d points
  pathLength offset rotate textLength lengthAdjust method side spacing startOffset gradientUnits gradientTransform spreadMethod
  patternUnits patternContentUnits patternTransform clipPathUnits maskUnits maskContentUnits mask-type markerUnits markerWidth
  markerHeight refX refY orient filterUnits primitiveUnits in in2 result mode values operator k1 k2 k3 k4 order kernelMatrix
  divisor bias targetX targetY edgeMode kernelUnitLength preserveAlpha surfaceScale diffuseConstant specularConstant
  specularExponent limitingConeAngle azimuth elevation pointsAtX pointsAtY pointsAtZ z scale xChannelSelector yChannelSelector
  stdDeviation radius baseFrequency numOctaves seed stitchTiles tableValues slope intercept amplitude exponent
  systemLanguage requiredExtensions requiredFeatures enable-background
  alignment-baseline baseline-shift clip clip-path clip-rule color color-interpolation color-interpolation-filters color-rendering
  cursor direction display dominant-baseline fill fill-opacity fill-rule filter flood-color flood-opacity font font-family font-size
  font-size-adjust font-stretch font-style font-variant font-weight glyph-orientation-horizontal glyph-orientation-vertical
  image-rendering isolation kerning letter-spacing lighting-color line-height marker marker-end marker-mid marker-start mask
  mix-blend-mode opacity overflow paint-order pointer-events shape-rendering solid-color solid-opacity stop-color stop-opacity stroke
  stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-align
  text-anchor text-decoration text-overflow text-rendering unicode-bidi vector-effect visibility white-space word-spacing writing-mode
`);

/** What may stand before a bracket in CSS. None but `url` names anything outside, and that is judged by itself. */
const FUNCTIONS = words(`
  rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark calc min max clamp var
  matrix matrix3d translate translatex translatey scale scalex scaley rotate skew skewx skewy
  inset circle ellipse polygon path blur brightness contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia
  media not is where nth-child nth-of-type
`);

/** A picture within the picture. */
const DATA = 'data:image/(?:png|jpeg|gif|webp);base64,';
const FRAGMENT = String.raw`#[^\s"'()\\]+`;
const WITHIN = new RegExp(String.raw`^(?:${FRAGMENT}|${DATA}[A-Za-z0-9+/=\s]*)$`, 'i');
const URL_WITHIN = new RegExp(String.raw`(?<![\w-])url\(\s*(["']?)(?:${FRAGMENT}|${DATA}[A-Za-z0-9+/=]*)\1\s*\)`, 'gi');
/** A bracket, and what stands before it. Of a longer name the end is as unknown as the whole. */
const CALL = /\((?<=([^\s(){};:,'"/*+>~=[\]]{0,40})\()/g;

/** Deeper than any drawing; the parser's work for an element grows with how deep it is. */
const MAX_DEPTH = 100;

/** @throws InvalidInputError UNSAFE_SVG, or UNSUPPORTED_TYPE for XML of another kind */
export function assertSafeSvg(text: string): void {
  const parser = new SaxesParser({ xmlns: true, position: false });
  let depth = 0;
  let style: string | undefined;
  parser.on('error', () => refuse('is not well-formed XML'));
  parser.on('xmldecl', ({ version, encoding }) => {
    if (version !== '1.0') refuse('is not XML 1.0');
    if (encoding && encoding.toLowerCase() !== 'utf-8') refuse('is not in UTF-8');
  });
  parser.on('doctype', () => refuse('has a document type'));
  parser.on('processinginstruction', () => refuse('has a processing instruction'));
  parser.on('opentagstart', () => {
    if (++depth > MAX_DEPTH) refuse(`nests deeper than ${MAX_DEPTH} elements`);
    if (style !== undefined) refuse('has an element within a style');
  });
  parser.on('opentag', (tag) => {
    if (depth === 1 && (tag.uri !== SVG || tag.local !== 'svg'))
      throw new InvalidInputError('UNSUPPORTED_TYPE', 'This is XML, but no SVG picture.', ['contentBase64']);
    checkElement(tag);
    if (tag.uri === SVG && tag.local === 'style') style = '';
  });
  const collect = (part: string) => {
    if (style !== undefined) style += part;
  };
  parser.on('text', collect);
  parser.on('cdata', collect);
  parser.on('closetag', () => {
    depth--;
    if (style !== undefined) checkCss(style, 'a style');
    style = undefined;
  });
  parser.write(text).close();
}

function checkElement({ uri, local, name, attributes }: SaxesTagNS): void {
  if (!INERT.has(uri) && !(uri === SVG && ELEMENTS.has(local))) refuse(`has the element ${name}`);
  for (const attribute of Object.values(attributes)) checkAttribute(attribute, uri);
}

function checkAttribute({ uri, local, name, value }: SaxesAttributeNS, elementUri: string): void {
  if (/^on/i.test(local)) refuse(`has the attribute ${name}`);
  if (uri === XMLNS || INERT.has(uri) || (uri === '' && INERT.has(elementUri))) return;
  if (local === 'href' && (uri === '' || uri === XLINK)) {
    if (!WITHIN.test(value)) refuse('refers to something outside of it');
  } else if (uri === XML ? local === 'space' || local === 'lang' : uri === '' && isPlain(local)) return;
  else if (uri === '' && DRAWING_ATTRIBUTES.has(local)) checkCss(value, `the attribute ${name}`);
  else refuse(`has the attribute ${name}`);
}

function isPlain(name: string): boolean {
  return PLAIN_ATTRIBUTES.has(name) || /^(data|aria)-/.test(name);
}

/** Refuses what loads something, and escapes and rules by which that could be hidden. */
function checkCss(css: string, place: string): void {
  if (css.includes('\\')) refuse(`has an escape in ${place}`);
  if (/@(?!media\b)/i.test(css)) refuse(`has a rule other than @media in ${place}`);
  const rest = css.replace(URL_WITHIN, ' ');
  for (const [, called] of rest.matchAll(CALL)) if (called && !FUNCTIONS.has(called.toLowerCase())) refuse(`has ${called}() in ${place}`);
}

function refuse(what: string): never {
  throw new InvalidInputError('UNSAFE_SVG', `The picture ${what.slice(0, 100)}: save it as plain SVG.`, ['contentBase64']);
}
