/**
 * The knowledge graph of MCP's reference memory server, as JSON lines: entities with observations, and relations between entities.
 *
 * Each observation is a memory, tagged with its entity's name and type, and each relation the sentence "A relationType B". An entity
 * that has neither is an item too, and empty; one that is only an end of a relation is said by that. Some servers name entities by
 * ids of their own, so a relation can be told only at the end of the file.
 */
import { canonicalText } from "../../memory/canonical.ts";
import type { ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { SequenceFormat, SequenceReader } from "./format.ts";
import { has, isObject, type JsonObject } from "./json.ts";
import { memoryRecord } from "./memory-record.ts";
import { trimmedTextOf } from "./text.ts";

export const serverMemory = {
  kind: "sequence",
  name: "server-memory file",
  source: "server_memory",
  elementKind: "memory",
  repeatsMemories: false,
  matches: (element) => isObject(element) && (isEntity(element) || isRelation(element)),
  open,
} satisfies SequenceFormat;

function isEntity(element: JsonObject): boolean {
  return (
    element["type"] === "entity" &&
    ["entityType", "entity_type", "observations"].some((key) => has(element, key))
  );
}

function isRelation(element: JsonObject): boolean {
  return (
    element["type"] === "relation" &&
    ["relationType", "relation_type"].some((key) => has(element, key))
  );
}

interface Relation {
  /** Names or ids. */
  readonly from: string;
  readonly to: string;
  readonly relationType: string;
}

function open(): SequenceReader {
  const nameById = new Map<string, string>();
  const relations: Relation[] = [];
  const withoutObservations: string[] = [];
  const ownerOf = new Map<string, string>();

  /**
   * Two entities may have the same observation, and the same text would be one memory: where another entity has said it before,
   * the entity is named in front. The first keeps its own words, so that a later export with more entities changes nothing.
   */
  function observed(observation: unknown, name: string): unknown {
    const text = trimmedTextOf(observation);
    if (text === "" || name === "") return observation;
    const key = canonicalText(text);
    const owner = ownerOf.get(key) ?? name;
    ownerOf.set(key, owner);
    return owner === name ? text : `${name}: ${text}`;
  }

  function takeEntity(entity: JsonObject): ImportRecord[] {
    const id = trimmedTextOf(entity["id"]);
    const name = trimmedTextOf(entity["name"]) || id;
    if (id !== "") nameById.set(id, name);
    const observations = entriesOf(entity["observations"]);
    if (observations.length === 0) {
      if (name === "") return [skipped("memory", "unreadable")];
      withoutObservations.push(name);
      return [];
    }
    const entityType = textAt(entity, "entityType", "entity_type");
    return observations.map((observation) =>
      memoryRecord(observed(observation, name), {
        source: "server_memory",
        tags: [name, entityType],
      }),
    );
  }

  function take(element: unknown): ImportRecord[] {
    if (!isObject(element)) return [skipped("memory", "unreadable")];
    switch (element["type"]) {
      case "entity":
        return takeEntity(element);
      case "relation": {
        const from = textAt(element, "from", "from_id");
        const to = textAt(element, "to", "to_id");
        const relationType = textAt(element, "relationType", "relation_type");
        if (from === "" || to === "" || relationType === "") {
          return [skipped("memory", "unreadable", { example: `${from} ${relationType} ${to}` })];
        }
        relations.push({ from, to, relationType });
        return [];
      }
      default: {
        const reason = typeof element["type"] === "string" ? "unsupported" : "unreadable";
        return [skipped("memory", reason, { example: trimmedTextOf(element["name"]) })];
      }
    }
  }

  function end(): ImportRecord[] {
    const related = new Set<string>();
    const sentences = relations.map((relation) => {
      const from = nameById.get(relation.from) ?? relation.from;
      const to = nameById.get(relation.to) ?? relation.to;
      related.add(from).add(to);
      return memoryRecord(`${from} ${relation.relationType} ${to}`, {
        source: "server_memory",
        tags: [from, to],
      });
    });
    const empty = withoutObservations.filter((name) => !related.has(name));
    return [...sentences, ...empty.map((name) => skipped("memory", "empty", { example: name }))];
  }

  return { take, end };
}

function entriesOf(observations: unknown): readonly unknown[] {
  if (Array.isArray(observations)) return observations;
  return observations == null ? [] : [observations];
}

function textAt(element: JsonObject, key: string, variant: string): string {
  return trimmedTextOf(element[key]) || trimmedTextOf(element[variant]);
}
