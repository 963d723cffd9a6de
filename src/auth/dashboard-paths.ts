/** Where the dashboard's document is served, besides `/`: its pages are at these (`apps/dashboard/routes.ts`), and signing in leads back to them. */
export const DASHBOARD_PATHS = [
  "/memories",
  "/memories/:id",
  "/conversations",
  "/conversations/:id",
  "/import",
  "/export",
  "/connect",
  "/apps",
  "/rules",
  "/security",
  "/history",
] as const;
