// Every page of the console, in the order of the navigation. A page is one module beside this one; its default export
// is a component that gets {query, session, title}. It is shown to whoever may ask all that it `needs`
// (serving/auth/roles.py). `hidden` keeps it out of the navigation, `under` says which entry it belongs to there, `count`
// which of the counts of GET /v1/events stands beside it.
export const PAGES = [
  { id: "desk", title: "Разбор", needs: ["POST /v1/queue/claim"], count: "waiting", load: () => import("./desk.js") },
  { id: "heatmap", title: "Тепловая карта", needs: ["GET /v1/heatmap"], load: () => import("./heatmap.js") },
  { id: "surges", title: "Всплески", needs: ["GET /v1/surges", "GET /v1/surges/notes"], count: "surges",
    load: () => import("./surges.js") },
  { id: "surge", title: "Всплеск", needs: ["GET /v1/surges", "GET /v1/surges/notes"], hidden: true, under: "surges",
    load: () => import("./surge.js") },
  { id: "series", title: "Ряд", needs: ["GET /v1/series"], load: () => import("./series.js") },
  { id: "topics", title: "Новые темы", needs: ["GET /v1/emerging", "GET /v1/emerging/verdicts"],
    load: () => import("./topics.js") },
  { id: "places", title: "Муниципалитеты", needs: ["GET /v1/municipalities"], load: () => import("./places.js") },
  { id: "kpi", title: "Показатели", needs: ["GET /v1/kpi"], load: () => import("./kpi.js") },
  { id: "complaints", title: "Обращения за показателем", needs: ["GET /v1/complaints", "GET /v1/kpi"], hidden: true, under: "kpi",
    load: () => import("./complaints.js") },
  { id: "decisions", title: "Решения", needs: ["GET /v1/management-decisions"], load: () => import("./decisions.js") },
  { id: "models", title: "Модели", needs: ["GET /v1/models"], load: () => import("./models.js") },
];
