/**
 * A SQLite database for one rehearsal, emptied afterwards: an object of a class of its own, so that nothing a rehearsal does can
 * reach what is real.
 */
import { DurableObject } from "cloudflare:workers";
import { sha256 } from "../storage/backup-files.ts";
import { backupTableNamed } from "../storage/backup-tables.ts";
import {
  createScratchTables,
  findFaults,
  loadScratchRows,
  readScratchRows,
  type ScratchTable,
} from "../storage/scratch-tables.ts";
import type { Scratch } from "../transfer/rehearsal.ts";
import { utf8 } from "../vault/bytes.ts";

export class ScratchDatabase extends DurableObject<Env> implements Scratch {
  async begin(tables: readonly ScratchTable[]): Promise<void> {
    await this.ctx.storage.deleteAll();
    createScratchTables(this.ctx.storage.sql, tables);
  }

  async load(table: string, lines: string): Promise<void> {
    loadScratchRows(this.ctx.storage.sql, this.#table(table), lines);
  }

  async hash(table: string, place: Parameters<Scratch["hash"]>[1]) {
    const { lines, last } = readScratchRows(this.ctx.storage.sql, this.#table(table), place);
    return { sha256: await sha256(utf8(lines)), last };
  }

  async count(table: string): Promise<number> {
    return this.ctx.storage.sql
      .exec<{ n: number }>(`SELECT count(*) AS n FROM ${this.#table(table).name}`)
      .one().n;
  }

  async faults(isSettled: boolean): Promise<string[]> {
    return findFaults(this.ctx.storage.sql, isSettled);
  }

  async clear(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  /** Columns as they were made: the object may have been started again since. */
  #table(known: string): ScratchTable {
    const { name } = backupTableNamed(known);
    const columns = this.ctx.storage.sql
      .exec<{ name: string }>("SELECT name FROM pragma_table_info(?) ORDER BY cid", name)
      .toArray()
      .map((column) => column.name);
    return { name, columns };
  }
}
