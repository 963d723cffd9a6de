/** Vite takes them; they have no exports. */
declare module "*.css";
