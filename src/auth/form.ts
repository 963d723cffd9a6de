/** A form that a page posted, as text. */
export interface Form {
  /** Empty when the field is missing or holds a file. */
  value(name: string): string;
  values(name: string): string[];
}

/** A body that is no form is an empty one: its missing fields are then refused like any others. */
export async function readForm(request: Request): Promise<Form> {
  const data = await request.formData().catch((error: unknown) => {
    if (error instanceof TypeError) return new FormData();
    throw error;
  });
  const values = (name: string): string[] =>
    data.getAll(name).filter((value) => typeof value === "string");
  return { values, value: (name) => values(name)[0] ?? "" };
}
