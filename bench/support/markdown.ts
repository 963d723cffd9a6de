/** A table as Markdown: text columns to the left, numbers to the right. */
export function printMarkdown(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const isNumber = head.map((_, at) =>
    rows.every((row) => /^(?:[-–]?$|[-\d])/u.test(row[at] ?? "")),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  console.log(`\n${title}\n`);
  console.log(line(head));
  console.log(line(isNumber.map((numeric) => (numeric ? "--:" : "---"))));
  for (const row of rows) console.log(line(row));
}
