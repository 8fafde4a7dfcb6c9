// Every page of the console, in the order of the navigation. A page is one module beside this one; its default export
// is a component that gets {query, session, title}. It is shown to whoever may ask all that it `needs`
// (serving/auth/roles.py). `hidden` keeps it out of the navigation, `under` says which entry it belongs to there.
export const PAGES = [
  { id: "models", title: "Модели", needs: ["GET /v1/models"], load: () => import("./models.js") },
];
