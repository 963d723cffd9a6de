/** Line drawings on a grid of 24, in the colour of the text. Always beside words, or on a button with a label: hidden from screen readers. */
const PATHS = {
  home: "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9",
  memories: "M6 4.5h12v15l-6-3.5-6 3.5z",
  conversations: "M4.5 6h15v10H11l-4 3.5V16H4.5z",
  import: "M12 4v11m0 0-4-4m4 4 4-4M5 19.5h14",
  export: "M12 15V4m0 0L8 8m4-4 4 4M5 19.5h14",
  connect: "M9 7V4m6 3V4M7 7h10v4a5 5 0 0 1-10 0zm5 9v4",
  apps: "M5 5h5.5v5.5H5zm8.5 0H19v5.5h-5.5zM5 13.5h5.5V19H5zm8.5 0H19V19h-5.5z",
  rules:
    "M5 7h8m4 0h2M5 17h2m4 0h8M13 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0m-6 10a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  security: "M12 4l7 2.5v5c0 4-3 7-7 8.5-4-1.5-7-4.5-7-8.5v-5z",
  history: "M5 12a7 7 0 1 0 2.2-5.1L5 9m0-4.5V9h4.5M12 8.5V12l2.5 1.5",
  account: "M12 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 1 0 0 7m-7 7.5c.5-3.5 3.3-5 7-5s6.5 1.5 7 5",
  menu: "M4.5 7h15m-15 5h15m-15 5h15",
  close: "M6.5 6.5l11 11m0-11-11 11",
  search: "M11 17a6 6 0 1 0 0-12 6 6 0 1 0 0 12m4.5-1.5 4 4",
  light:
    "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 1 0 0 7M12 3.5v2m0 13v2M3.5 12h2m13 0h2M6 6l1.4 1.4m9.2 9.2L18 18M18 6l-1.4 1.4m-9.2 9.2L6 18",
  dark: "M19 14.5A7.5 7.5 0 0 1 9.5 5 7.5 7.5 0 1 0 19 14.5z",
  system: "M4.5 5.5h15v10h-15zm4.5 14h6m-3-4v4",
  up: "M6 14.5 12 8.5l6 6",
  down: "M6 9.5l6 6 6-6",
  undo: "M8.5 5 4.5 9l4 4m-4-4h9a5 5 0 0 1 0 10H9",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 8v5m0 3v.5M12 4 3.5 19h17z",
  offline:
    "M4 4l16 16M5 11a10 10 0 0 1 4-2.3m3.5-.6A10 10 0 0 1 19 11m-11 3.5a6 6 0 0 1 4-1.5m0 5.5v.5",
  lock: "M7 11h10v8.5H7zm2-0V8a3 3 0 0 1 6 0v3",
  trash: "M5 7h14M9.5 7V4.5h5V7m-8 0 1 12.5h9l1-12.5m-6.5 3.5v5.5m3-5.5v5.5",
  empty: "M4.5 13 7 5.5h10l2.5 7.5v6h-15zm0 0h4.5l1 2.5h4l1-2.5h4.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
