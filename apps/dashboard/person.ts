/** Who is signed in, as the document says (`src/auth/dashboard.tsx`). */
const root = document.getElementById("dashboard");

export const person = {
  name: root?.dataset["person"] ?? "",
  timeZone: root?.dataset["timeZone"] ?? "UTC",
  mcpUrl: root?.dataset["mcpUrl"] ?? "",
} as const;
