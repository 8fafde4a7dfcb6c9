// Every page of the console, in the order of the navigation. A page is one module beside this one; its default export
// is a component that gets {query, session, title}. It is shown to whoever may ask all that it `needs`
// (serving/auth/roles.py). `hidden` keeps it out of the navigation, `under` says which entry it belongs to there.
export const PAGES = [
  { id: "desk", title: "Разбор", needs: ["POST /v1/queue/claim"], load: () => import("./desk.js") },
  { id: "kpi", title: "Показатели", needs: ["GET /v1/kpi"], load: () => import("./kpi.js") },
  { id: "decisions", title: "Решения", needs: ["GET /v1/management-decisions"], load: () => import("./decisions.js") },
  { id: "models", title: "Модели", needs: ["GET /v1/models"], load: () => import("./models.js") },
];
