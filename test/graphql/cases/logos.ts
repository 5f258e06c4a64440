import { setEnvironmentLogo, setOrganizationLogo } from '../../../src/features/logos/service.ts';
import type { EnvironmentPlace, FeatureCases, Mistake, MistakeStage, Stage } from './cases.ts';
import { newOrganization } from './organizations.ts';

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

/** The smallest picture there is: one transparent point. */
export const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
export const SVG = base64('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1v1z"/></svg>');
const SCRIPT = base64('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

const ofEnvironment = ({ world }: Stage) => ({ environmentId: world.ids.Environment, type: 'LIGHT', contentBase64: GIF });
const ofOrganization = ({ world }: Stage) => ({ organizationId: world.ids.Organization, type: 'LIGHT', contentBase64: GIF });

function contentMistakes(good: (stage: MistakeStage) => object): Mistake[] {
  const contents: [code: string, change: object][] = [
    ['REQUIRED', { contentBase64: '' }],
    ['INVALID_BASE64', { contentBase64: 'R0lGOD' }],
    ['INVALID_BASE64', { contentBase64: 'R0lGODlh\n' }],
    ['INVALID_BASE64', { contentBase64: 'no picture' }],
    ['TOO_LARGE', { contentBase64: Buffer.alloc(1024 * 1024, 'GIF89a').toString('base64') }],
    ['UNSUPPORTED_TYPE', { contentBase64: base64('%PDF-1.7') }],
    ['UNSUPPORTED_TYPE', { type: 'FAVICON_SVG' }],
    ['UNSAFE_SVG', { contentBase64: SCRIPT }],
  ];
  return contents.map(([code, change]) => ({
    code,
    path: ['contentBase64'],
    input: (stage: MistakeStage) => ({ ...good(stage), ...change }),
  }));
}

async function fill({ ctx, environmentId, ids }: EnvironmentPlace): Promise<Record<string, string>> {
  await setEnvironmentLogo(ctx, { environmentId, type: 'light', contentBase64: GIF });
  await setOrganizationLogo(ctx, { organizationId: ids['Organization']!, type: 'favicon_svg', contentBase64: SVG });
  return {};
}

export const logos: FeatureCases = {
  open: ['Logo.type', 'Logo.url', 'Logo.contentType', 'Logo.createdAt'],
  shortLists: ['Environment.logos', 'Organization.logos'],
  fillEnvironment: fill,
  lists: {
    'logos of organizations':
      'environment(id: $environmentId) { logos { url } organizations(first: $first) { nodes { logos { type url contentType createdAt } } } }',
  },
  mutations: {
    setEnvironmentLogo: {
      permission: 'update:environments',
      action: 'environment.logo_set',
      input: ofEnvironment,
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, type: 'LIGHT', contentBase64: GIF }) }],
      mistakes: contentMistakes(ofEnvironment),
    },
    removeEnvironmentLogo: {
      permission: 'update:environments',
      action: 'environment.logo_removed',
      input: async ({ ctx, world }) => {
        const { Environment: environmentId } = world.ids;
        await setEnvironmentLogo(ctx, { environmentId, type: 'dark', contentBase64: GIF });
        return { environmentId, type: 'DARK' };
      },
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, type: 'LIGHT' }) }],
    },
    setOrganizationLogo: {
      permission: 'update:organizations',
      action: 'organization.logo_set',
      input: async (stage, name) => ({ ...ofOrganization(stage), organizationId: await newOrganization(stage, name) }),
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId, type: 'LIGHT', contentBase64: GIF }) }],
      mistakes: contentMistakes(ofOrganization),
    },
    removeOrganizationLogo: {
      permission: 'update:organizations',
      action: 'organization.logo_removed',
      input: async (stage, name) => {
        const organizationId = await newOrganization(stage, name);
        await setOrganizationLogo(stage.ctx, { organizationId, type: 'light', contentBase64: GIF });
        return { organizationId, type: 'LIGHT' };
      },
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId, type: 'LIGHT' }) }],
    },
  },
};
