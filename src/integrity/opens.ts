import { DoesNotOpen } from "../vault/seal.ts";

/** What a row's ciphertext says; null: it was altered, moved or cut. Whatever else fails says nothing about the row. */
export async function opened<Text>(open: () => Promise<Text>): Promise<Text | null> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof DoesNotOpen) return null;
    throw error;
  }
}
