/** The properties that every business is born with: what address forms and sign-up links fill. Their keys begin with `kp_`. */
import type { PropertyContext, PropertyType } from './values.ts';

interface SystemProperty {
  readonly context: PropertyContext;
  readonly key: string;
  readonly name: string;
  readonly type: PropertyType;
}

const text = (context: PropertyContext, prefix: string, names: readonly string[]): SystemProperty[] =>
  names.map((name) => ({
    context,
    key: `${prefix}${name.toLowerCase().replaceAll(' ', '_')}`,
    name,
    type: 'single_line_text',
  }));

const ADDRESS = ['City', 'Industry', 'Postcode', 'State region', 'Street address', 'Street address 2'];

export const SYSTEM_PROPERTIES: readonly SystemProperty[] = [
  ...text('user', 'kp_usr_', [...ADDRESS, 'Job title', 'Middle name', 'Salutation']),
  { context: 'user', key: 'kp_usr_is_marketing_opt_in', name: 'Is marketing opt in', type: 'boolean' },
  ...text('organization', 'kp_org_', ADDRESS),
];
