/** Every page of the dashboard, one line each: what stands in the navigation, in this order, and what is loaded when it is opened. */
import type { ComponentType } from "react";
import type { DASHBOARD_PATHS } from "../../src/auth/dashboard-paths.ts";
import type { IconName } from "./shell/icon.tsx";

export interface Route {
  /** `:name` is one segment, handed to the page as a property. */
  readonly path: "/" | (typeof DASHBOARD_PATHS)[number];
  /** Null: not in the navigation. */
  readonly entry: { readonly name: string; readonly icon: IconName } | null;
  readonly load: () => Promise<{ readonly Page: ComponentType<Record<string, string>> }>;
}

// prettier-ignore
export const ROUTES: readonly Route[] = [
  { path: "/", entry: { name: "Home", icon: "home" }, load: () => import("./pages/home/home.tsx") },
  { path: "/memories", entry: { name: "Memories", icon: "memories" }, load: () => import("./pages/memories/memories.tsx") },
  { path: "/memories/:id", entry: null, load: () => import("./pages/memory/memory.tsx") },
  { path: "/conversations", entry: { name: "Conversations", icon: "conversations" }, load: () => import("./pages/conversations/conversations.tsx") },
  { path: "/conversations/:id", entry: null, load: () => import("./pages/conversation/conversation.tsx") },
  { path: "/import", entry: { name: "Import", icon: "import" }, load: () => import("./pages/import/import.tsx") },
  { path: "/export", entry: { name: "Export", icon: "export" }, load: () => import("./pages/export/export.tsx") },
  { path: "/history", entry: { name: "History", icon: "history" }, load: () => import("./pages/history/history.tsx") },
  { path: "/connect", entry: { name: "Connect", icon: "connect" }, load: () => import("./pages/connect/connect.tsx") },
  { path: "/apps", entry: { name: "Connected apps", icon: "apps" }, load: () => import("./pages/apps/apps.tsx") },
  { path: "/rules", entry: { name: "Rules", icon: "rules" }, load: () => import("./pages/rules/rules.tsx") },
  { path: "/security", entry: { name: "Security", icon: "security" }, load: () => import("./pages/security/security.tsx") },
];
