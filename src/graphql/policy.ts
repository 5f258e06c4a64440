/**
 * The permission of every field, declared once: it is enforced here, printed as `@requires` in schema.graphql, and
 * added to the field's description. A field without a declaration stops the build of the schema.
 *
 * A field says `permission` (or its type does, for all its fields), or `open` with the reason why it needs none. A field
 * with a permission is nullable whatever it says: denied, it is null with a FORBIDDEN error beside it.
 */
import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import { DirectiveLocation, GraphQLDirective, type GraphQLField, type GraphQLFieldResolver, GraphQLNonNull, GraphQLString } from 'graphql';
import { can, holdsAnywhere, refusal } from '../access/authorize.ts';
import type { PermissionName } from '../access/permissions.ts';
import type { Actor, Tenant } from '../kernel/actor.ts';
import type { GraphContext } from './context.ts';

const NAME = 'policy';

export interface Policy {
  /** What the field takes. */
  readonly permission?: PermissionName;
  /** Why the field needs no permission. */
  readonly open?: string;
}

interface ArgumentPolicy {
  /** What a call takes besides, because of what it is given. Of a mutation its action sees to it, in the tenant that it finds. */
  // biome-ignore lint/suspicious/noExplicitAny: each field knows its own arguments
  readonly argumentPermissions?: (args: any) => readonly PermissionName[];
}

interface TypePolicy extends Policy {
  /** The tenant that a value of the type belongs to; absent: its `environmentId`, else its `businessId`. */
  // biome-ignore lint/suspicious/noExplicitAny: each type knows its own shape
  readonly tenant?: (value: any) => Tenant;
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      policy: PolicyPlugin<Types>;
    }
    export interface FieldOptions<
      Types extends SchemaTypes,
      ParentShape,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveShape,
      ResolveReturnShape,
    > extends Policy,
        ArgumentPolicy {}
    export interface ObjectTypeOptions<Types extends SchemaTypes, Shape> extends TypePolicy {}
    export interface InterfaceTypeOptions<Types extends SchemaTypes, Shape> extends TypePolicy {}
  }
}

type TypeParam<Types extends SchemaTypes> = import('@pothos/core').TypeParam<Types>;
type FieldNullability<Type> = import('@pothos/core').FieldNullability<Type>;
type InputFieldMap = import('@pothos/core').InputFieldMap;

/** `@requires(permission:)`: says in the schema what a field takes. */
export const requiresDirective = new GraphQLDirective({
  name: 'requires',
  description: 'The field is null, with a FORBIDDEN error, for a caller who does not hold this permission.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: { permission: { type: new GraphQLNonNull(GraphQLString), description: 'The permission, as `read:users`.' } },
});

/** What a built field declared. */
export function policyOf(field: GraphQLField<unknown, unknown>): Policy & ArgumentPolicy {
  return field.extensions as Policy & ArgumentPolicy;
}

class PolicyPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const { permission, open } = this.policyOf(field);
    if (!permission) return { ...field, extensions: { ...field.extensions, open } };
    return {
      ...field,
      type: { ...field.type, nullable: true } as typeof field.type,
      description: `${field.description ?? ''}\n\nNeeds the permission \`${permission}\`.`.trim(),
      extensions: {
        ...field.extensions,
        permission,
        argumentPermissions: (field.pothosOptions as unknown as ArgumentPolicy).argumentPermissions,
        directives: { ...(field.extensions?.['directives'] as object | undefined), requires: { permission } },
      },
    };
  }

  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    const { permission } = this.policyOf(field);
    if (!permission) return resolver;
    // Root fields name no tenant yet: what they call looks only where the actor holds the permission.
    const isRoot = field.kind === 'Query' || field.kind === 'Mutation' || field.kind === 'Subscription';
    const tenant = this.typePolicy(field).tenant ?? ownTenant;
    const { argumentPermissions } = field.pothosOptions as unknown as ArgumentPolicy;
    const check = (actor: Actor, needed: PermissionName, parent: unknown) => {
      if (!(isRoot ? holdsAnywhere(actor, needed) : can(actor, needed, tenant(parent)))) throw refusal(actor, needed);
    };
    return (parent, args, context, info) => {
      const { actor } = (context as GraphContext).services;
      check(actor, permission, parent);
      if (argumentPermissions && field.kind !== 'Mutation') for (const needed of argumentPermissions(args)) check(actor, needed, parent);
      return resolver(parent, args, context, info);
    };
  }

  private policyOf(field: PothosOutputFieldConfig<Types>): Policy {
    const own = field.pothosOptions as unknown as Policy;
    const policy = own.permission || own.open ? own : this.typePolicy(field);
    if (!policy.permission && !policy.open)
      throw new Error(`${field.parentType}.${field.name} declares neither a permission nor why it is open.`);
    return policy;
  }

  private typePolicy(field: PothosOutputFieldConfig<Types>): TypePolicy {
    return this.buildCache.getTypeConfig(field.parentType).pothosOptions as unknown as TypePolicy;
  }
}

function ownTenant(value: unknown): Tenant {
  const { environmentId, businessId } = value as { environmentId?: string; businessId?: string };
  if (environmentId) return { environmentId };
  if (businessId) return { businessId };
  throw new Error('A gated value carries neither environmentId nor businessId: select one of them.');
}

SchemaBuilder.registerPlugin(NAME, PolicyPlugin);

export const policyPlugin = NAME;
