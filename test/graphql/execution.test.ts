/** Operations run as graphql-js runs them: the same answers in the same order, and the same errors in the same places. */
import fc from 'fast-check';
import {
  buildSchema,
  type ExecutionResult,
  execute as executeByGraphqlJs,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLTypeResolver,
  isAbstractType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { execute } from '../../src/graphql/execution/execute.ts';

const fieldsOf = (own: string, other: string) => `
  id: ID! next: Node ${own}Text(mode: Mode = SHORT, length: Int): String ${own}Name: String!
  same: ${own} strict: ${own}! others(first: Int): [${other}] strictOthers: [${other}!]! either: Either matrix: [[Int]!] node: Node!`;
const schema = buildSchema(`
  enum Mode { SHORT LONG }
  input Range { from: Int! to: Int = 9 }
  interface Node { id: ID! next: Node }
  union Either = Book | Person
  type Book implements Node { ${fieldsOf('Book', 'Person')} }
  type Person implements Node { ${fieldsOf('Person', 'Book')} }
  type Query { book: Book! person: Person nodes: [Node!] either: [Either]! ranges(ranges: [Range!]!): String }
  type Mutation { step(number: Int!): Int strictStep(number: Int!): Int! }
`);

let resolveField: GraphQLFieldResolver<unknown, unknown>;
let resolveType: GraphQLTypeResolver<unknown, unknown>;
for (const type of Object.values(schema.getTypeMap())) {
  if (type.name.startsWith('__')) continue;
  if (isAbstractType(type)) type.resolveType = (...given) => resolveType(...given);
  if (isObjectType(type)) for (const field of Object.values(type.getFields())) field.resolve = (...given) => resolveField(...given);
}

type Timing = 'at once' | 'later' | 'both';

/** What fields do follows from where they are and from the seed, so that each executor meets the same. */
function behave(seed: number, isCalm: boolean, timing: Timing = 'both'): void {
  const dice = (...of: unknown[]) => {
    let hash = seed;
    for (const character of JSON.stringify(of)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
    return (hash >>> 8) % 100;
  };
  const isLate = (roll: number) => timing === 'later' || (timing === 'both' && roll < 30);
  const soonOrNow = (roll: number, value: unknown) => (isLate(roll) ? Promise.resolve(value) : value);
  const thing = (...at: unknown[]) => ({ type: dice('kind', ...at) < 50 ? 'Book' : 'Person' });
  resolveType = (value, _context, { path }) => {
    const { type } = value as { type: string };
    return soonOrNow(dice('type', placeOf(path)), dice('wrong', placeOf(path)) < 3 && !isCalm ? 'Query' : type) as string;
  };
  resolveField = (_parent, args, _context, { path, returnType, fieldName }) => {
    const place = placeOf(path);
    const value = () => {
      const trouble = isCalm ? 100 : dice('trouble', place);
      if (trouble < 6) return null;
      if (trouble < 9) return new Error(`returned at ${place}`);
      if (trouble < 12) throw new GraphQLError(`thrown at ${place}`, { extensions: { code: 'THROWN' } });
      const type = String(returnType);
      if (type.startsWith('[[')) return [[1, null], [], [dice(place)]];
      if (type.startsWith('['))
        return Array.from({ length: dice('length', place) % 4 }, (_, index) =>
          soonOrNow(dice('late', place, index), !isCalm && dice('item', place, index) < 10 ? null : thing(place, index)),
        );
      return /^(ID|String)/.test(type) ? `${fieldName} ${JSON.stringify(args)}` : thing(place);
    };
    return isLate(dice('promise', place)) ? Promise.resolve().then(value) : value();
  };
}

function placeOf(path: GraphQLResolveInfo['path'] | undefined): string {
  return path ? `${placeOf(path.prev)}/${path.key}` : '';
}

/** Runs an operation both ways. Whole JSON texts are compared, as the order of fields is promised too. */
async function runBoth(document: string, variableValues: Record<string, unknown> = {}, operationName?: string) {
  const args = { schema, document: parse(document), variableValues, operationName };
  const told = ({ data, errors = [] }: ExecutionResult) => ({
    data: JSON.stringify(data),
    errors: errors.map(({ message, path, locations }) => JSON.stringify({ message, path, locations })).sort(),
  });
  return { ours: told(await execute(args)), theirs: told(await executeByGraphqlJs(args)) };
}

const { selection } = fc.letrec<{ selection: string; field: string }>((tie) => ({
  selection: fc.array(tie('field'), { minLength: 1, maxLength: 4 }).map((fields) => `{ ${fields.join(' ')} }`),
  field: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      '__typename',
      'id',
      ...['Book', 'Person'].flatMap((type) => [
        `... on ${type} { ${type}Name }`,
        `... on ${type} { long${type}: ${type}Text(mode: LONG, length: $n) }`,
        `... on ${type} { ${type}Text matrix }`,
        `...${type}Parts`,
        `... on Node @skip(if: $yes) { skippedOf${type}: id }`,
      ]),
      '... @include(if: $no) { never: id }',
      '... @skip(if: $no) { always: id }',
      'again: id @include(if: $yes)',
      '__proto__: id',
      'then: id',
    ),
    fc
      .tuple(fc.constantFrom('same', 'strict', 'others(first: $n)', 'strictOthers', 'either', 'node', 'next'), tie('selection'))
      .chain(([field, inner]) =>
        fc.constantFrom(field === 'next' ? `next ${inner}` : `... on Book { ${field} ${inner} }`, `... on Person { ${field} ${inner} }`),
      ),
  ),
}));
const operation = fc
  .array(fc.tuple(fc.constantFrom('book', 'person', 'nodes', 'either', 'other: book'), selection), { minLength: 1, maxLength: 3 })
  .map(
    (roots) => `query ($n: Int = 3, $yes: Boolean = true, $no: Boolean = false) { ${roots.map((root) => root.join(' ')).join(' ')} }
    fragment BookParts on Book { BookName same { BookName } ...PersonParts }
    fragment PersonParts on Node { ... on Person { PersonName others { id } } }`,
  )
  .filter((text) => !validate(schema, parse(text)).some(({ message }) => !/is never used/.test(message)));

/** Some two fifths of the answers are long, by chance: of so many operations always more than the fifty that are wanted. */
const RUNS = { numRuns: 300 };
const seeded = [operation, fc.nat(), fc.option(fc.nat(9), { nil: undefined })] as const;

test.each<{ timing: Timing; isCalm: boolean }>([
  { timing: 'both', isCalm: true },
  { timing: 'at once', isCalm: false },
])(
  'any valid operation is answered as by graphql-js, by fields that answer $timing (and never fail: $isCalm)',
  async ({ timing, isCalm }) => {
    let compared = 0;
    const property = fc.asyncProperty(...seeded, async (text, seed, n) => {
      behave(seed, isCalm, timing);
      const { ours, theirs } = await runBoth(text, n === undefined ? {} : { n });
      expect(ours).toEqual(theirs);
      compared += ours.data.length > 40 ? 1 : 0;
    });
    await fc.assert(property, RUNS);
    expect(compared).toBeGreaterThan(50);
  },
);

// Which of several errors ends a list is a race. And not beside graphql-js, which lets promises of a list be rejected unheard when one fails at once.
test.each<Timing>(['both', 'later'])('what is answered does not depend on when fields answer: %s', async (timing) => {
  const property = fc.asyncProperty(...seeded, async (text, seed, n) => {
    const document = parse(text);
    const answer = async (when: Timing) => {
      behave(seed, false, when);
      const { data, errors } = await execute({ schema, document, variableValues: n === undefined ? {} : { n } });
      return { data: JSON.stringify(data), isWhole: errors === undefined };
    };
    expect(await answer(timing)).toEqual(await answer('at once'));
  });
  await fc.assert(property, RUNS);
});

test.each([
  ['a variable that is missing', 'query ($n: Int!) { book { others(first: $n) { id } } }', {}],
  ['a variable of another type', 'query ($n: Int) { book { others(first: $n) { id } } }', { n: 'many' }],
  ['a part of a variable that is missing', 'query ($r: [Range!]!) { ranges(ranges: $r) }', { r: [{ from: 1 }, { to: 2 }] }],
  ['a default inside of a variable', 'query ($r: [Range!]!) { ranges(ranges: $r) }', { r: [{ from: 1 }] }],
  ['null for an argument that takes none', 'query ($n: Int) { ranges(ranges: [{ from: $n }]) }', { n: null }],
  ['an operation that is not there', 'query A { book { id } } query B { book { id } }', {}, 'C'],
  ['none named of several', 'query A { book { id } } query B { book { id } }', {}],
  ['one named of several', 'query A { book { id } } query B { book { next { id } } }', {}, 'B'],
  [
    'the schema itself',
    '{ __schema { queryType { name fields { name args { name defaultValue } } } } __type(name: "Mode") { enumValues { name } } }',
    {},
  ],
])('%s is answered as by graphql-js', async (_what, text, variables, name?: string) => {
  behave(1, true);
  const { ours, theirs } = await runBoth(text, variables, name);
  expect(ours).toEqual(theirs);
});

test('what cannot run at all is a bad request', async () => {
  const args = { schema, document: parse('query ($n: Int!) { book { others(first: $n) { id } } }') };
  const { errors } = await execute(args);
  expect(errors!.map(({ extensions }) => extensions)).toEqual([{ http: { status: 400 } }]);
});

test('each field of a mutation begins when the one before it has ended, and the first that may not be null ends it', async () => {
  let running = 0;
  const ran: number[] = [];
  resolveField = async (_parent, { number }: { number: number }) => {
    running += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    ran.push(number);
    expect(running--).toBe(1);
    if (number % 2 === 0) throw new Error(`step ${number}`);
    return number;
  };
  const text = 'mutation { a: step(number: 1) b: step(number: 2) c: strictStep(number: 3) d: strictStep(number: 4) e: step(number: 5) }';
  const { data, errors } = await execute({ schema, document: parse(text) });
  expect(data).toBeNull();
  expect(errors!.map(({ message, path }) => [message, path])).toEqual([
    ['step 2', ['b']],
    ['step 4', ['d']],
  ]);
  expect(ran).toEqual([1, 2, 3, 4]);
});

test('an operation that fails is answered when all that it began has ended', async () => {
  let isRunning = false;
  resolveField = (_parent, _args, _context, { fieldName }) => {
    if (fieldName === 'book') throw new Error('no book');
    isRunning = true;
    return new Promise((resolve) => setTimeout(resolve, 20)).then(() => {
      isRunning = false;
      throw new Error('no person either');
    });
  };
  const { data } = await execute({ schema, document: parse('{ person { id } book { id } }') });
  expect({ data, isRunning }).toEqual({ data: null, isRunning: false });
});

test('a document that is asked again with other variables is planned for those', async () => {
  behave(1, true);
  const document = parse('query ($yes: Boolean!) { book { id @include(if: $yes) name: BookName @skip(if: $yes) } }');
  const keys = async (yes: boolean) => {
    const { data } = await execute({ schema, document, variableValues: { yes } });
    return Object.keys(data!['book'] as object);
  };
  expect([await keys(true), await keys(false), await keys(true)]).toEqual([['id'], ['name'], ['id']]);
});

test('a name of the answer is a name and nothing else', async () => {
  behave(1, true);
  const { data } = await execute({
    schema,
    document: parse('{ __proto__: book { __proto__: id constructor: BookName toJSON: id then: id } }'),
  });
  expect(JSON.parse(JSON.stringify(data), (key, value) => (key === '' ? value : value))).toEqual(
    JSON.parse('{ "__proto__": { "__proto__": "id {}", "constructor": "BookName {}", "toJSON": "id {}", "then": "id {}" } }'),
  );
  expect(({} as Record<string, unknown>)['BookName']).toBeUndefined();
});
