/** Finds the environment that a request's address names. */
import { ALL_ENVIRONMENTS } from '../../db/lookups.ts';
import { type Address, issuerOf } from '../../kernel/issuer.ts';
import type { Language } from '../../languages/languages.ts';
import type { Infrastructure } from '../context.ts';
import type { SignInPolicy } from '../environment-policies/service.ts';
import type { MfaFactorKind, MfaPolicy, PasskeyPolicy } from '../sign-in-policies/service.ts';
import type { Terms } from '../terms/service.ts';

/** An environment as requests know it. */
export interface Tenancy {
  readonly environmentId: string;
  readonly businessId: string;
  readonly domain: string;
  readonly isPrimary: boolean;
  readonly kind: 'production' | 'non_production' | 'account';
  /** With no trailing slash. */
  readonly issuer: string;
  /** Its path on its host: nothing, or `/e/<domain>`. */
  readonly basePath: string;
  /** Whether there are pages on which anybody asks to be let in, or for news. */
  readonly allowsAccessRequests: boolean;
  readonly allowsSubscriptions: boolean;
  /** Whether applications may register themselves (RFC 7591). */
  readonly allowsDynamicRegistration: boolean;
  /** Whether the URL of a client's metadata is a client id. */
  readonly allowsMetadataDocuments: boolean;
  /** Whether a DPoP proof has to hold a nonce of ours. */
  readonly requiresDpopNonce: boolean;
  /** Whether people sign in with passkeys, where their organization does not say so itself. */
  readonly passkeyPolicy: PasskeyPolicy;
  /** Whether a passkey counts for a second factor as well. */
  readonly isPasskeyMultiFactor: boolean;
  /** How people are told from programs, and for Turnstile its site key. */
  readonly botCheck: 'off' | 'proof_of_work' | 'turnstile';
  readonly turnstileSiteKey: string | null;
  /** What people are spoken to in; empty: every language that there is. */
  readonly languages: readonly Language[];
  readonly defaultLanguage: Language;
  readonly terms: Terms;
  readonly mfaPolicy: MfaPolicy;
  readonly mfaFactors: readonly MfaFactorKind[];
  readonly hasRecoveryCodes: boolean;
  /** How it lets people in. */
  readonly policy: SignInPolicy;
}

/** The environment at `address`, or undefined where there is none. */
export async function findTenancy(infrastructure: Infrastructure, address: Address): Promise<Tenancy | undefined> {
  if (address.kind === 'unknown') return undefined;
  return cached(
    infrastructure,
    address.kind === 'primary' ? '' : `domain ${address.domain}`,
    address.kind === 'primary' ? { isPrimary: true } : { domain: address.domain, isPrimary: false },
  );
}

/** The environment with this id. */
export async function tenancyOf(infrastructure: Infrastructure, environmentId: string): Promise<Tenancy | undefined> {
  return cached(infrastructure, `id ${environmentId}`, { id: environmentId });
}

/** The environment whose issuer is `issuer`, or undefined for a URL that is none of ours. */
export async function tenancyOfIssuer(infrastructure: Infrastructure, issuer: string): Promise<Tenancy | undefined> {
  const { config } = infrastructure;
  if (issuer === config.baseUrl) return findTenancy(infrastructure, { kind: 'primary', path: '/' });
  const domain = issuer.startsWith(`${config.baseUrl}/e/`)
    ? issuer.slice(config.baseUrl.length + 3)
    : URL.canParse(issuer) && config.rootDomain && new URL(issuer).host.endsWith(`.${config.rootDomain}`)
      ? new URL(issuer).host.slice(0, -config.rootDomain.length - 1)
      : undefined;
  const tenancy = domain ? await findTenancy(infrastructure, { kind: 'environment', domain, path: '/' }) : undefined;
  return tenancy?.issuer === issuer ? tenancy : undefined;
}

function cached(
  infrastructure: Infrastructure,
  key: string,
  where: { id: string } | { domain: string; isPrimary: false } | { isPrimary: true },
): Promise<Tenancy | undefined> {
  return infrastructure.lookups.find(ALL_ENVIRONMENTS, key, async () => {
    const row = await infrastructure.database.prisma.environment.findFirst({ where });
    return (
      (row && {
        environmentId: row.id,
        businessId: row.businessId,
        domain: row.domain,
        isPrimary: row.isPrimary,
        kind: row.kind as Tenancy['kind'],
        issuer: issuerOf(infrastructure.config, row),
        basePath: row.isPrimary || infrastructure.config.rootDomain ? '' : `/e/${row.domain}`,
        allowsAccessRequests: row.allowAccessRequests,
        allowsSubscriptions: row.allowSubscriptions,
        allowsDynamicRegistration: row.allowDynamicRegistration,
        requiresDpopNonce: row.requireDpopNonce,
        allowsMetadataDocuments: row.allowMetadataDocuments,
        passkeyPolicy: row.passkeyPolicy as PasskeyPolicy,
        isPasskeyMultiFactor: row.isPasskeyMultiFactor,
        botCheck: row.botCheck as Tenancy['botCheck'],
        turnstileSiteKey: row.turnstileSiteKey,
        languages: row.languages as Language[],
        defaultLanguage: row.defaultLanguage as Language,
        terms: {
          termsUri: row.termsUri,
          privacyUri: row.privacyUri,
          version: row.termsVersion,
          isRequired: row.isAcceptanceRequired,
        },
        mfaPolicy: row.mfaPolicy as MfaPolicy,
        mfaFactors: row.mfaFactors as MfaFactorKind[],
        hasRecoveryCodes: row.hasRecoveryCodes,
        policy: {
          allowSelfSignUp: row.allowSelfSignUp,
          allowedDomains: row.allowedDomains,
          codeLifetime: row.codeLifetime,
          allowOrganizationCreation: row.allowOrganizationCreation,
          useMostRecentOrganization: row.useMostRecentOrganization,
          defaultCountry: row.defaultCountry,
          hasEnumerationProtection: row.hasEnumerationProtection,
          refuseDisposableMail: row.refuseDisposableMail,
        },
      }) ??
      undefined
    );
  });
}
