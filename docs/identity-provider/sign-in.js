import { codePage, signInPage } from './pages.js';

/** What a sign-in is worth: a password alone, or a second factor too. */
export const ACR = { password: 'urn:example:pwd', secondFactor: 'urn:example:2fa' };

const FORM_BYTES_MAX = 16_384;

/**
 * The page at /interaction/<uid>: password, the question to riskgate, and a second factor where it is not an
 * ALLOW. Nobody is signed in before all that was asked for is there.
 */
export function createSignIn({ provider, accounts, riskgate, log }) {
  const finish = (ctx, result) => {
    // The provider answers by itself.
    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, result);
  };
  const refuse = (ctx) => finish(ctx, { error: 'access_denied', error_description: 'sign-in refused' });

  /** A report that is lost must not lock anybody out. */
  const report = async (decisionId, label) => {
    if (decisionId === null) return;
    const how = label === 'challenge_passed' ? { method: 'otp', acr: ACR.secondFactor } : {};
    await riskgate
      .reportOutcome(decisionId, { label, ...how })
      .catch(({ kind }) => log(`riskgate was not told the outcome of ${decisionId}: ${kind}`));
  };

  const takePassword = async (ctx, interaction, form) => {
    // In the prompt "risk" the session says who it is.
    const isLogin = interaction.prompt.name === 'login';
    const accountId = isLogin
      ? await accounts.checkPassword(form.get('user') ?? '', form.get('password') ?? '')
      : interaction.session.accountId;
    if (accountId === null) return show(ctx, 401, signInPage({ isLogin, isWrong: true }));
    const { verdict, decision, failure } = await riskgate.decideOrChallenge({
      telemetry_id: form.get('telemetry_id') ?? '',
      device_id: form.get('device_id') ?? '',
      account_id: accountId,
      action: 'login',
      ip: ctx.ip,
      user_agent: ctx.get('user-agent'),
    });
    if (failure !== null) log(`riskgate gave no decision: ${failure.kind}`);
    if (verdict === 'BLOCK') return refuse(ctx);
    if (verdict === 'ALLOW') {
      const login = { accountId, acr: ACR.password, amr: ['pwd'] };
      return finish(ctx, { risk: { accountId }, ...(isLogin && { login }) });
    }
    // CHALLENGE, and whatever else there may be.
    interaction.result = { pending: { accountId, decisionId: decision?.decision_id ?? null } };
    await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
    await accounts.sendCode(accountId);
    return show(ctx, 200, codePage({ isWrong: false }));
  };

  const takeCode = async (ctx, { result }, form) => {
    const pending = result?.pending;
    if (pending === undefined) return show(ctx, 400, signInPage({ isLogin: true, isWrong: true }));
    const { accountId, decisionId } = pending;
    const checked = await accounts.checkCode(accountId, form.get('code') ?? '');
    if (checked === 'wrong') return show(ctx, 401, codePage({ isWrong: true }));
    if (checked !== 'right') {
      await report(decisionId, 'challenge_failed');
      return refuse(ctx);
    }
    await report(decisionId, 'challenge_passed');
    const login = { accountId, acr: ACR.secondFactor, amr: ['pwd', 'otp'] };
    return finish(ctx, { risk: { accountId }, login });
  };

  return async (ctx) => {
    // Throws where the cookie of this authorization is not there: answered 400 by the provider.
    const interaction = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === 'GET')
      return show(ctx, 200, signInPage({ isLogin: interaction.prompt.name === 'login', isWrong: false }));
    if (ctx.method !== 'POST') return ctx.throw(405);
    const form = await readForm(ctx);
    return form.has('code') ? takeCode(ctx, interaction, form) : takePassword(ctx, interaction, form);
  };
}

async function readForm(ctx) {
  let text = '';
  for await (const chunk of ctx.req.setEncoding('utf8')) {
    text += chunk;
    if (text.length > FORM_BYTES_MAX) ctx.throw(413);
  }
  return new URLSearchParams(text);
}

function show(ctx, status, html) {
  ctx.status = status;
  ctx.type = 'html';
  ctx.set('cache-control', 'no-store');
  ctx.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  ctx.body = html;
}
