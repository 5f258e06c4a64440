/**
 * What each feature brings to the tests that hold for all of the graph: one object of each of its types, a good input
 * for each of its mutations, what another tenant's ids would be in it, and an input for each of its error codes. A
 * mutation, a type or a code that is missing here fails a test.
 */
import type { PermissionName } from '../../../src/access/permissions.ts';
import type { Context } from '../../../src/features/context.ts';
import type { IdKind } from '../../../src/kernel/ids.ts';
import type { TestApp } from '../../helpers/app.ts';
import type { World } from '../world.ts';

/** What a business, or one of its environments, is filled from. */
export interface Place {
  readonly gatehouse: TestApp;
  /** The installation's operator, who may do everything. */
  readonly ctx: Context;
  /** Begins every name and address in it. */
  readonly name: string;
  readonly businessId: string;
  /** What was made before, by the name of its type. */
  readonly ids: Readonly<Record<string, string>>;
}

export interface EnvironmentPlace extends Place {
  readonly environmentId: string;
}

/** What an input is made from. */
export interface Stage {
  readonly gatehouse: TestApp;
  readonly ctx: Context;
  readonly world: World;
}

/** What a mistaken input is made from: `world` may have everything. */
export interface MistakeStage extends Stage {
  /** A business on the free plan, whose only Owner is the caller. */
  readonly small: World;
  /** The caller's membership of the small business's team. */
  readonly callerMemberId: string;
}

export interface Mistake {
  readonly code: string;
  /** What the error says of where it is in the input. */
  readonly path: readonly string[];
  readonly input: (stage: MistakeStage) => object | Promise<object>;
}

export interface Foreign {
  /** The type whose id is another tenant's, or made up. */
  readonly type: string;
  /** The input, otherwise good and the caller's own. */
  readonly input: (id: string, own: World) => object;
}

export interface MutationCase {
  /** Absent for a mutation that is open. */
  readonly permission?: PermissionName;
  /** What its good input takes besides, in the order in which it is asked for. */
  readonly besides?: readonly PermissionName[];
  /** What the audit log calls it; null for one that changes nothing but how often it was asked. */
  readonly action: string | null;
  /** A good input that was not used before: everything in it begins with `name`. Called once for each call of the mutation. */
  readonly input: (stage: Stage, name: string) => object | Promise<object>;
  readonly foreign?: readonly Foreign[];
  /** Why a machine may not call it at all. */
  readonly onlyForPeople?: true;
  readonly mistakes?: readonly Mistake[];
  /** Its twin that takes many such inputs. */
  readonly bulk?: string;
}

export interface FeatureCases {
  /** The types that are nodes, with the kind of their ids. Each has an id in what the feature fills. */
  readonly kinds?: Readonly<Record<string, IdKind>>;
  /** Makes one object of each of the feature's types that belong to a business. */
  readonly fillBusiness?: (place: Place) => Promise<Record<string, string>>;
  /** The same within an environment. */
  readonly fillEnvironment?: (place: EnvironmentPlace) => Promise<Record<string, string>>;
  /** Makes one more row in each list that the feature adds; `row` is a number that was not used before. */
  readonly addRow?: (place: EnvironmentPlace, row: number) => Promise<void>;
  /** Queries that show its lists, with `$first` for every page and `$businessId` or `$environmentId`. */
  readonly lists?: Readonly<Record<string, string>>;
  readonly mutations?: Readonly<Record<string, MutationCase>>;
  /** Gated fields that only lead to what is reached otherwise: other ways in, and ways back up. */
  readonly roots?: readonly string[];
  /** Fields of single objects that are there for some rows only, whatever the caller holds; what they lead to is reached otherwise. */
  readonly mayBeAbsent?: readonly string[];
  /** Fields that are open, each for a reason that the schema gives. Ids of nodes and what payloads carry need no mention. */
  readonly open?: readonly string[];
  /** Fields that are short lists by their nature, not pages. */
  readonly shortLists?: readonly string[];
  /** Fields called after a secret that hold none, or hold one that is shown this once. */
  readonly secretive?: readonly string[];
}

export const LONG = 'x'.repeat(201);
export const BELL = 'ding\u0007';

/** The mistakes that a text of at most 200 characters can hold; `required` when it must not be empty. */
export function textMistakes(field: string, input: (stage: MistakeStage) => object, required = true): Mistake[] {
  const holding = (code: string, text: string): Mistake => ({
    code,
    path: [field],
    input: (stage) => ({ ...input(stage), [field]: text }),
  });
  return [...(required ? [holding('REQUIRED', ' ')] : []), holding('TOO_LONG', LONG), holding('INVALID_TEXT', BELL)];
}
