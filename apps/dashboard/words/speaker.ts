import type { Role, Source } from "../../../src/storage/closed-lists.ts";
import { platformName } from "./platform.ts";

/** Who says something in a conversation on a platform. */
export function speakerName(role: Role, platform: Source): string {
  switch (role) {
    case "user":
      return "You";
    case "assistant":
      return platformName(platform);
    case "system":
      return "Instructions";
    case "tool":
      return "Tool";
  }
}
