// An OpenID provider for the tests: `node openid.mjs REDIRECT_URI GROUPS_JSON`. Prints its issuer.
//
// Anybody signs in by typing a name (the package's own pages for development); GROUPS_JSON says who
// is in which groups.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [redirectUri, groupsJson] = process.argv.slice(2);
const groups = JSON.parse(groupsJson);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "trackcenter",
        client_secret: "a-secret-of-the-tests",
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    claims: {
      openid: ["sub", "groups"],
      profile: ["name", "preferred_username"],
      email: ["email", "email_verified"],
    },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ["only for tests"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id} of the tests`,
        preferred_username: id,
        email: `${id}@example.org`,
        email_verified: true,
        groups: groups[id] ?? [],
      }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.on("SIGTERM", () => process.exit(0));
