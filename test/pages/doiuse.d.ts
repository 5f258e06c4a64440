declare module 'doiuse' {
  import type { Plugin } from 'postcss';

  interface Usage {
    /** Its id at caniuse. */
    readonly feature: string;
    /** By browser and version. */
    readonly featureData: { readonly missingData?: object; readonly partialData?: object };
    readonly message: string;
  }
  export default class DoIUse implements Plugin {
    postcssPlugin: string;
    constructor(options: { browsers: readonly string[]; onFeatureUsage(usage: Usage): void });
  }
}
