/** Where to go after signing in: a page of this site, whatever the address says. */
export function ownAddress(next: string | undefined): string {
  if (next === undefined) return "/";
  const address = new URL(next, window.location.origin);
  if (address.origin !== window.location.origin) return "/";
  return address.pathname + address.search;
}
