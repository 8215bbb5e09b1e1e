// Where the admin API has stores.
export const pathOf = (module: string, ...rest: readonly string[]) =>
  ['/admin/stores', encodeURIComponent(module), ...rest].join('/');
