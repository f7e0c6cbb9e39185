import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { fakePage } from './page.ts';
import {
  type FakeAnswer,
  FakeRefusal,
  type FakeRequest,
  type FakeServer,
  type Fault,
  type Serve,
  startFakeServer,
} from './server.ts';
import type { Signer } from './signer.ts';

export interface FakePayPalOptions {
  clock: { now(): Date };
  clientId: string;
  clientSecret: string;
  webhookId: string;
  /** Null signs nothing that can be verified offline: there is no certificate. */
  signer: Signer | null;
  webhookUrl?: string | null;
  /** Sends events before the answer to the request that caused them. */
  deliversFirst?: boolean;
  /** When a request gets no answer. */
  onHang?: () => void;
  /** When there is a further event to deliver. */
  onEvent?: () => void;
  /** Makes ids of one run differ from those of another. */
  run?: string;
  /** In place of a port of its own. */
  serve?: Serve;
}

/** What a payer's account does when it is charged. */
export type PayerBehavior = 'pays' | 'declines' | 'pays_late' | 'refunds_late';

export interface FakePayPal extends FakeServer, Deliveries {
  /** A saved account of a payer. */
  addPayer(behavior: PayerBehavior): string;
  /** What a saved account does from now on. */
  behave(payerId: string, behavior: PayerBehavior): void;
  /** What the payer does on the page of an order or of a setup token. */
  act(id: string, action: 'approve' | 'cancel', behavior?: PayerBehavior): void;
  /** Ends what takes days: the capture of an order, or a refund. */
  settle(id: string, result?: 'succeeds' | 'fails'): void;
  openDispute(captureId: string): string;
  closeDispute(disputeId: string, result: 'won' | 'lost'): void;
  /** Tokens are refused from now on, as after a change of the secret. */
  revokeTokens(): void;
  /** The next requests for a token fail. */
  failTokens(times: number): void;
  balance(currency: string): string;
  sendEventsTo(url: string | null): void;
  sign(body: string): Record<string, string>;
}

interface FakeMoney {
  currency_code: string;
  value: string;
}
interface Link {
  rel: string;
  href: string;
  method: string;
}
interface FakeCapture {
  id: string;
  status: string;
  status_details?: { reason: string };
  amount: FakeMoney;
  custom_id?: string;
  invoice_id?: string;
  final_capture: boolean;
  seller_receivable_breakdown?: { gross_amount: FakeMoney; paypal_fee: FakeMoney; net_amount: FakeMoney };
  supplementary_data: { related_ids: { order_id: string } };
  links: Link[];
  create_time: string;
  update_time: string;
}
interface FakeRefund {
  id: string;
  status: string;
  status_details?: { reason: string };
  amount: FakeMoney;
  custom_id?: string;
  invoice_id?: string;
  links: Link[];
  create_time: string;
}
interface FakeUnit {
  reference_id: string;
  amount: FakeMoney;
  description?: string;
  custom_id?: string;
  invoice_id?: string;
  payments?: { captures: FakeCapture[]; refunds: FakeRefund[] };
}
interface FakeOrder {
  id: string;
  intent: string;
  status: string;
  purchase_units: FakeUnit[];
  payment_source?: { paypal: Record<string, unknown> };
  links: Link[];
  create_time: string;
}
interface FakeToken {
  id: string;
  status: string;
  customer: { id: string; merchant_customer_id?: string };
  payment_source: { paypal: Record<string, unknown> };
  links: Link[];
}
interface FakeDispute {
  dispute_id: string;
  status: string;
  reason: string;
  dispute_amount: FakeMoney;
  dispute_outcome?: { outcome_code: string };
  disputed_transactions: { seller_transaction_id: string }[];
  create_time: string;
}

const HOUR_MS = 3_600_000;
const TOKEN_LIFETIME_S = 32_400;
/** How long each resource remembers a `PayPal-Request-Id`. */
const KEY_LIFETIMES: readonly (readonly [RegExp, number])[] = [
  [/^\/v2\/payments\//, 45 * 24 * HOUR_MS],
  [/^\/v3\/vault\//, 3 * HOUR_MS],
  [/./, 6 * HOUR_MS],
];
const WHOLE = new Set(['HUF', 'JPY', 'TWD']);
const KNOWN = new Set(
  'AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD'.split(' '),
);
const PAGE = 100;
const CERTIFICATE = '/v1/notifications/certs/CERT-fake';

/** The part of PayPal that moves money, in memory, with its manners: keys, payers, pending captures, signatures. */
export async function createFakePayPal(options: FakePayPalOptions): Promise<FakePayPal> {
  const { clock, clientId, clientSecret, webhookId, signer, run: ofRun = '' } = options;
  let webhookUrl = options.webhookUrl ?? null;
  let count = 0;
  let failingTokens = 0;

  const tokens = new Map<string, number>();
  const orders = new Map<string, FakeOrder>();
  const captures = new Map<string, FakeCapture>();
  const refunds = new Map<string, FakeRefund>();
  const setups = new Map<string, FakeToken>();
  const payers = new Map<string, FakeToken>();
  const disputes = new Map<string, FakeDispute>();
  const behaviors = new Map<string, PayerBehavior>();
  const payerOfSetup = new Map<string, string>();
  const invoiceIds = new Map<string, string>();
  const events: Record<string, unknown>[] = [];
  const moved: { id: string; code: string; at: Date; amount: FakeMoney; fee: string; reference: string }[] = [];
  const sent = new Map<string, string>();
  const answered = new Map<string, { atMs: number; hash: string; answer: FakeAnswer }>();

  const newId = (prefix: string): string => `${prefix}${ofRun}${String(++count).padStart(12, '0')}`;
  const time = (): string => `${clock.now().toISOString().slice(0, 19)}Z`;

  function sign(body: string): Record<string, string> {
    const id = newId('tx-');
    const at = time();
    const text = `${id}|${at}|${webhookId}|${crc32(body)}`;
    sent.set(id, createHash('sha256').update(body).digest('hex'));
    return {
      'paypal-auth-algo': 'SHA256withRSA',
      'paypal-transmission-id': id,
      'paypal-transmission-time': at,
      'paypal-transmission-sig': signer?.sign(text) ?? 'bm9uZQ==',
      'paypal-cert-url': server.url + CERTIFICATE,
    };
  }

  const deliveries = createDeliveries({ target: () => webhookUrl, sign });

  function emit(type: string, resourceType: string, resource: object): void {
    const event = {
      id: newId('WH-'),
      event_version: '1.0',
      create_time: time(),
      resource_type: resourceType,
      event_type: type,
      summary: 'Płatność',
      resource: structuredClone(resource),
      links: [],
    };
    events.push(event);
    // Numbers such as 1.0 and escapes do not survive being written again.
    const body = JSON.stringify(event)
      .replace('"event_version":"1.0"', '"event_version":"1.0","n":1.0')
      .replace('ł', '\\u0142');
    deliveries.pending.push({ id: event.id, body });
    options.onEvent?.();
  }

  function find<Value>(map: Map<string, Value>, id: string): Value {
    const found = map.get(id);
    if (!found) throw problem(404, 'RESOURCE_NOT_FOUND', 'INVALID_RESOURCE_ID');
    return found;
  }

  const link = (rel: string, path: string, method = 'GET'): Link => ({ rel, href: server.url + path, method });

  // Payers

  function addPayer(behavior: PayerBehavior, customerId: string = newId('cust')): string {
    const id = newId('vault');
    behaviors.set(id, behavior);
    payers.set(id, {
      id,
      status: 'VAULTED',
      customer: { id: customerId },
      payment_source: { paypal: { email_address: 'payer@example.com', payer_id: `PAYER${behavior.toUpperCase()}` } },
      links: [link('self', `/v3/vault/payment-tokens/${id}`)],
    });
    return id;
  }

  function act(id: string, action: 'approve' | 'cancel', behavior: PayerBehavior = 'pays'): void {
    const setup = setups.get(id);
    if (setup) {
      if (action === 'approve' && setup.status === 'PAYER_ACTION_REQUIRED') {
        setup.status = 'APPROVED';
        payerOfSetup.set(id, addPayer(behavior, setup.customer.id));
      }
      return;
    }
    const order = find(orders, id);
    if (order.status !== 'PAYER_ACTION_REQUIRED' || action === 'cancel') return;
    order.status = 'APPROVED';
    behaviors.set(id, behavior);
    emit('CHECKOUT.ORDER.APPROVED', 'checkout-order', order);
  }

  // Orders

  function createOrder(body: Json): FakeOrder {
    const unit = recordAt(listAt(body, 'purchase_units')[0]);
    const amount = moneyAt(unit['amount']);
    const wallet = recordAt(recordAt(body['payment_source'])['paypal']);
    const needsPayer = body['payment_source'] !== undefined && wallet['vault_id'] === undefined;
    const id = newId('ORDER');
    takeInvoiceId(textAt(unit, 'invoice_id'), id);
    const order: FakeOrder = {
      id,
      intent: 'CAPTURE',
      status: needsPayer ? 'PAYER_ACTION_REQUIRED' : 'CREATED',
      purchase_units: [
        {
          reference_id: 'default',
          amount,
          ...optional('description', textAt(unit, 'description')),
          ...optional('custom_id', textAt(unit, 'custom_id')),
          ...optional('invoice_id', textAt(unit, 'invoice_id')),
        },
      ],
      ...(needsPayer && { payment_source: { paypal: {} } }),
      links: [
        link('self', `/v2/checkout/orders/${id}`),
        ...(needsPayer ? [link('payer-action', `/approve/${id}`)] : []),
      ],
      create_time: time(),
    };
    const experience = recordAt(wallet['experience_context']);
    backs.set(id, textAt(experience, 'return_url') ?? '/');
    const attributes = recordAt(wallet['attributes']);
    savesPayer.set(id, attributes['vault'] !== undefined);
    customerOf.set(id, textAt(recordAt(attributes['customer']), 'id'));
    orders.set(id, order);
    return order;
  }
  const backs = new Map<string, string>();
  const savesPayer = new Map<string, boolean>();
  const customerOf = new Map<string, string | undefined>();

  function takeInvoiceId(invoiceId: string | undefined, owner: string): void {
    if (invoiceId === undefined) return;
    if (invoiceIds.has(invoiceId)) throw problem(422, 'UNPROCESSABLE_ENTITY', 'DUPLICATE_INVOICE_ID');
    invoiceIds.set(invoiceId, owner);
  }

  function captureOrder(id: string, body: Json): FakeOrder {
    const order = find(orders, id);
    const vaultId = textAt(recordAt(recordAt(body['payment_source'])['paypal']), 'vault_id');
    if (order.status === 'COMPLETED') throw problem(422, 'UNPROCESSABLE_ENTITY', 'ORDER_ALREADY_CAPTURED');
    if (vaultId !== undefined) find(payers, vaultId);
    else if (order.status !== 'APPROVED') throw problem(422, 'UNPROCESSABLE_ENTITY', 'ORDER_NOT_APPROVED');
    const behavior = behaviors.get(vaultId ?? id) ?? 'pays';
    if (behavior === 'declines') throw problem(422, 'UNPROCESSABLE_ENTITY', 'INSTRUMENT_DECLINED');
    behaviors.set(id, behavior);
    const [unit] = order.purchase_units;
    const captureId = newId('CAP');
    const capture: FakeCapture = {
      id: captureId,
      status: 'PENDING',
      status_details: { reason: 'ECHECK' },
      amount: unit!.amount,
      ...optional('custom_id', unit!.custom_id),
      ...optional('invoice_id', unit!.invoice_id),
      final_capture: true,
      supplementary_data: { related_ids: { order_id: id } },
      links: [link('self', `/v2/payments/captures/${captureId}`), link('up', `/v2/checkout/orders/${id}`)],
      create_time: time(),
      update_time: time(),
    };
    captures.set(captureId, capture);
    unit!.payments = { captures: [capture], refunds: [] };
    order.status = 'COMPLETED';
    const payer = vaultId ?? (savesPayer.get(id) ? addPayer(behavior, customerOf.get(id)) : undefined);
    const attributes = payer && { vault: { id: payer, status: 'VAULTED', customer: find(payers, payer).customer } };
    order.payment_source = { paypal: { email_address: 'payer@example.com', ...(attributes && { attributes }) } };
    if (behavior === 'pays_late') emit('PAYMENT.CAPTURE.PENDING', 'capture', capture);
    else complete(capture);
    return order;
  }

  function complete(capture: FakeCapture): void {
    const { currency_code: currency } = capture.amount;
    const gross = unitsOf(capture.amount.value);
    const fee = gross / 25n;
    capture.status = 'COMPLETED';
    delete capture.status_details;
    capture.update_time = time();
    capture.seller_receivable_breakdown = {
      gross_amount: capture.amount,
      paypal_fee: moneyOf(currency, fee),
      net_amount: moneyOf(currency, gross - fee),
    };
    const row = { code: 'T0006', amount: capture.amount, fee: moneyOf(currency, -fee).value };
    moved.push({ id: capture.id, at: clock.now(), reference: capture.id, ...row });
    emit('PAYMENT.CAPTURE.COMPLETED', 'capture', capture);
  }

  function refundCapture(id: string, body: Json): FakeRefund {
    const capture = find(captures, id);
    const order = find(orders, capture.supplementary_data.related_ids.order_id);
    const payments = order.purchase_units[0]!.payments!;
    if (capture.status === 'PENDING') throw problem(422, 'UNPROCESSABLE_ENTITY', 'CAPTURE_STATUS_NOT_VALID');
    if (capture.status === 'REFUNDED') throw problem(422, 'UNPROCESSABLE_ENTITY', 'CAPTURE_FULLY_REFUNDED');
    const amount = body['amount'] === undefined ? capture.amount : moneyAt(body['amount']);
    if (amount.currency_code !== capture.amount.currency_code) {
      throw problem(422, 'UNPROCESSABLE_ENTITY', 'REFUND_CURRENCY_MISMATCH');
    }
    const before = payments.refunds
      .filter(({ status }) => status !== 'FAILED')
      .reduce((sum, refund) => sum + unitsOf(refund.amount.value), 0n);
    const total = before + unitsOf(amount.value);
    if (total > unitsOf(capture.amount.value)) throw problem(422, 'UNPROCESSABLE_ENTITY', 'REFUND_AMOUNT_EXCEEDED');
    const refundId = newId('REF');
    takeInvoiceId(textAt(body, 'invoice_id'), refundId);
    const isLate = behaviors.get(order.id) === 'refunds_late';
    const refund: FakeRefund = {
      id: refundId,
      status: isLate ? 'PENDING' : 'COMPLETED',
      ...(isLate && { status_details: { reason: 'ECHECK' } }),
      amount,
      ...optional('custom_id', textAt(body, 'custom_id')),
      ...optional('invoice_id', textAt(body, 'invoice_id')),
      links: [link('self', `/v2/payments/refunds/${refundId}`), link('up', `/v2/payments/captures/${id}`)],
      create_time: time(),
    };
    refunds.set(refundId, refund);
    payments.refunds.push(refund);
    capture.status = total === unitsOf(capture.amount.value) ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    moveBack(refund);
    emit(isLate ? 'PAYMENT.REFUND.PENDING' : 'PAYMENT.CAPTURE.REFUNDED', 'refund', refund);
    return refund;
  }

  function moveBack({ id, amount }: FakeRefund): void {
    const value = moneyOf(amount.currency_code, -unitsOf(amount.value)).value;
    moved.push({ id, code: 'T1107', at: clock.now(), amount: { ...amount, value }, fee: '0.00', reference: id });
  }

  function settle(id: string, result: 'succeeds' | 'fails' = 'succeeds'): void {
    const refund = refunds.get(id);
    if (refund) {
      refund.status = result === 'succeeds' ? 'COMPLETED' : 'FAILED';
      if (result === 'fails') {
        const { id: source, amount } = refund;
        moved.push({ id: newId('REV'), code: 'T1107', at: clock.now(), amount, fee: '0.00', reference: source });
      }
      emit(result === 'succeeds' ? 'PAYMENT.CAPTURE.REFUNDED' : 'PAYMENT.REFUND.FAILED', 'refund', refund);
      return;
    }
    const capture = find(orders, id).purchase_units[0]?.payments?.captures[0];
    if (capture?.status !== 'PENDING') throw new Error(`${id} has no pending capture`);
    if (result === 'succeeds') return void complete(capture);
    capture.status = 'DECLINED';
    capture.status_details = { reason: 'DECLINED_BY_RISK_FRAUD_FILTERS' };
    emit('PAYMENT.CAPTURE.DENIED', 'capture', capture);
  }

  function openDispute(captureId: string): string {
    const { amount } = find(captures, captureId);
    const id = newId('PP-D-');
    const dispute: FakeDispute = {
      dispute_id: id,
      status: 'OPEN',
      reason: 'UNAUTHORISED',
      dispute_amount: amount,
      disputed_transactions: [{ seller_transaction_id: captureId }],
      create_time: time(),
    };
    disputes.set(id, dispute);
    emit('CUSTOMER.DISPUTE.CREATED', 'dispute', dispute);
    return id;
  }

  function closeDispute(disputeId: string, result: 'won' | 'lost'): void {
    const dispute = find(disputes, disputeId);
    dispute.status = 'RESOLVED';
    dispute.dispute_outcome = { outcome_code: result === 'won' ? 'RESOLVED_SELLER_FAVOUR' : 'RESOLVED_BUYER_FAVOUR' };
    const [transaction] = dispute.disputed_transactions;
    const capture = find(captures, transaction!.seller_transaction_id);
    if (result === 'lost') {
      const { amount, id } = capture;
      const value = moneyOf(amount.currency_code, -unitsOf(amount.value)).value;
      moved.push({
        id: newId('REV'),
        code: 'T1201',
        at: clock.now(),
        amount: { ...amount, value },
        fee: '0.00',
        reference: id,
      });
      emit('PAYMENT.CAPTURE.REVERSED', 'capture', capture);
    }
    emit('CUSTOMER.DISPUTE.RESOLVED', 'dispute', dispute);
  }

  // Vault

  function createSetup(body: Json): FakeToken {
    const id = newId('SETUP');
    const wallet = recordAt(recordAt(body['payment_source'])['paypal']);
    const reference = textAt(recordAt(body['customer']), 'merchant_customer_id');
    backs.set(id, textAt(recordAt(wallet['experience_context']), 'return_url') ?? '/');
    const token: FakeToken = {
      id,
      status: 'PAYER_ACTION_REQUIRED',
      customer: {
        id: textAt(recordAt(body['customer']), 'id') ?? newId('cust'),
        ...optional('merchant_customer_id', reference),
      },
      payment_source: { paypal: {} },
      links: [link('approve', `/approve/${id}`)],
    };
    setups.set(id, token);
    return token;
  }

  function createPayer(body: Json): FakeToken {
    const id = textAt(recordAt(recordAt(body['payment_source'])['token']), 'id') ?? '';
    const setup = find(setups, id);
    const payer = payerOfSetup.get(id);
    if (payer === undefined) throw problem(422, 'UNPROCESSABLE_ENTITY', 'SETUP_TOKEN_NOT_APPROVED');
    setup.status = 'VAULTED';
    const token = find(payers, payer);
    emit('VAULT.PAYMENT-TOKEN.CREATED', 'payment_token', token);
    return token;
  }

  function deletePayer(id: string): void {
    const token = find(payers, id);
    payers.delete(id);
    emit('VAULT.PAYMENT-TOKEN.DELETED', 'payment_token', token);
  }

  // Events and reports

  /** PayPal checks the bytes of the event that it finds in the body of the request. */
  function verifySignature(raw: string, body: Json): { verification_status: string } {
    const marker = '"webhook_event":';
    const event = raw.slice(raw.indexOf(marker) + marker.length, -1);
    const hash = createHash('sha256').update(event).digest('hex');
    const isSent = sent.get(textAt(body, 'transmission_id') ?? '') === hash && body['webhook_id'] === webhookId;
    return { verification_status: isSent ? 'SUCCESS' : 'FAILURE' };
  }

  function listEvents(query: URLSearchParams) {
    const from = query.get('start_time') ?? '';
    const start = Number(query.get('start') ?? 0);
    const found = events.filter((event) => String(event['create_time']) >= from);
    const further = new URLSearchParams(query);
    further.set('start', String(start + PAGE));
    const next = start + PAGE < found.length ? [link('next', `/v1/notifications/webhooks-events?${further}`)] : [];
    return { events: found.slice(start, start + PAGE), count: found.length, links: next };
  }

  function listTransactions(query: URLSearchParams) {
    const [from, to] = [Date.parse(query.get('start_date') ?? ''), Date.parse(query.get('end_date') ?? '')];
    if (!(to - from <= 31 * 24 * HOUR_MS)) throw problem(400, 'INVALID_REQUEST', 'INVALID_DATE_RANGE');
    const page = Number(query.get('page') ?? 1);
    const size = Number(query.get('page_size') ?? PAGE);
    const found = moved.filter(({ at }) => at.getTime() >= from && at.getTime() <= to + 1000);
    return {
      transaction_details: found
        .slice((page - 1) * size, page * size)
        .map(({ id, code, at, amount, fee, reference }) => ({
          transaction_info: {
            transaction_id: id,
            transaction_event_code: code,
            transaction_initiation_date: `${at.toISOString().slice(0, 19)}Z`,
            transaction_amount: amount,
            fee_amount: { currency_code: amount.currency_code, value: fee },
            paypal_reference_id: reference,
            transaction_status: 'S',
          },
        })),
      page,
      total_items: found.length,
      total_pages: Math.max(1, Math.ceil(found.length / size)),
    };
  }

  type Route = readonly [
    pattern: RegExp,
    run: (id: string, body: Json, request: FakeRequest) => unknown,
    status?: number,
  ];
  const routes: readonly Route[] = [
    [/^POST \/v2\/checkout\/orders$/, (_, body) => createOrder(body), 201],
    [/^GET \/v2\/checkout\/orders\/([\w-]+)$/, (id) => find(orders, id)],
    [/^POST \/v2\/checkout\/orders\/([\w-]+)\/capture$/, (id, body) => captureOrder(id, body), 201],
    [/^GET \/v2\/payments\/captures\/([\w-]+)$/, (id) => find(captures, id)],
    [/^POST \/v2\/payments\/captures\/([\w-]+)\/refund$/, (id, body) => refundCapture(id, body), 201],
    [/^GET \/v2\/payments\/refunds\/([\w-]+)$/, (id) => find(refunds, id)],
    [/^POST \/v3\/vault\/setup-tokens$/, (_, body) => createSetup(body), 201],
    [/^GET \/v3\/vault\/setup-tokens\/([\w-]+)$/, (id) => find(setups, id)],
    [/^POST \/v3\/vault\/payment-tokens$/, (_, body) => createPayer(body), 201],
    [/^GET \/v3\/vault\/payment-tokens\/([\w-]+)$/, (id) => find(payers, id)],
    [/^DELETE \/v3\/vault\/payment-tokens\/([\w-]+)$/, (id) => deletePayer(id), 204],
    [/^GET \/v1\/customer\/disputes\/([\w-]+)$/, (id) => find(disputes, id)],
    [
      /^POST \/v1\/notifications\/verify-webhook-signature$/,
      (_, body, { body: raw }) => verifySignature(raw.toString('utf8'), body),
    ],
    [/^GET \/v1\/notifications\/webhooks-events$/, (_, __, { query }) => listEvents(query)],
    [/^GET \/v1\/reporting\/transactions$/, (_, __, { query }) => listTransactions(query)],
  ];

  function run(request: FakeRequest): FakeAnswer {
    const line = `${request.method} ${request.path}`;
    const body = recordAt(request.body.length ? JSON.parse(request.body.toString('utf8')) : {});
    for (const [pattern, handler, status = 200] of routes) {
      const matched = pattern.exec(line);
      if (matched) return { status, body: structuredClone(handler(matched[1] ?? '', body, request)) };
    }
    throw problem(404, 'RESOURCE_NOT_FOUND', 'INVALID_URI');
  }

  /** A request id answers what it answered first, for as long as its resource remembers it; failures are not kept. */
  function once(request: FakeRequest): FakeAnswer {
    const key = request.headers['paypal-request-id'];
    if (request.method !== 'POST' || typeof key !== 'string') return run(request);
    const lifetimeMs = KEY_LIFETIMES.find(([path]) => path.test(request.path))![1];
    const hash = createHash('sha256').update(`${request.path}\n`).update(request.body).digest('hex');
    const known = answered.get(key);
    if (known && clock.now().getTime() - known.atMs < lifetimeMs) {
      if (known.hash !== hash) throw problem(422, 'UNPROCESSABLE_ENTITY', 'PAYPAL_REQUEST_ID_PREVIOUSLY_USED');
      return { ...known.answer, status: 200 };
    }
    const answer = run(request);
    answered.set(key, { atMs: clock.now().getTime(), hash, answer });
    return answer;
  }

  function giveToken(request: FakeRequest): FakeAnswer {
    if (failingTokens > 0) {
      failingTokens--;
      return { status: 503, body: {} };
    }
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    if (request.headers.authorization !== `Basic ${basic}`) return { status: 401, body: { error: 'invalid_client' } };
    const token = newId('A21AA');
    tokens.set(token, clock.now().getTime() + TOKEN_LIFETIME_S * 1000);
    return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: TOKEN_LIFETIME_S } };
  }

  function page(request: FakeRequest): FakeAnswer {
    const id = /^\/approve\/([\w-]+)$/.exec(request.path)?.[1] ?? '';
    const order = orders.get(id);
    const status = order?.status ?? setups.get(id)?.status;
    if (status !== 'PAYER_ACTION_REQUIRED') {
      return { status: 200, body: fakePage('PayPal', ['There is nothing to approve here.'], []) };
    }
    if (request.method === 'POST') {
      const action = new URLSearchParams(request.body.toString()).get('action');
      act(id, action === 'approve' ? 'approve' : 'cancel');
      return { status: 303, body: '', headers: { location: backs.get(id) ?? '/' } };
    }
    const amount = order?.purchase_units[0]?.amount;
    const what = amount ? `Amount: ${amount.value} ${amount.currency_code}` : 'Save this account';
    const buttons = [
      { name: 'approve', label: amount ? 'Pay' : 'Save' },
      { name: 'cancel', label: 'Cancel' },
    ];
    return { status: 200, body: fakePage('PayPal', [what], buttons) };
  }

  function handle(request: FakeRequest, fault: Fault | null): FakeAnswer {
    if (request.path === CERTIFICATE) return { status: signer ? 200 : 404, body: signer?.bundle ?? '' };
    if (request.path.startsWith('/approve/')) return page(request);
    if (request.path === '/v1/oauth2/token') return giveToken(request);
    if (fault === 'server_error') throw problem(500, 'INTERNAL_SERVER_ERROR', 'INTERNAL_SERVICE_ERROR');
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (!((tokens.get(token) ?? 0) > clock.now().getTime())) return { status: 401, body: { error: 'invalid_token' } };
    return once(request);
  }

  const server: FakeServer = await startFakeServer(
    {
      isApi: (path) => /^\/v[123]\//.test(path) && path !== '/v1/oauth2/token' && path !== CERTIFICATE,
      rateLimited: { name: 'RATE_LIMIT_REACHED', message: 'Too many requests.' },
      ...(options.onHang && { onHang: options.onHang }),
      handle,
      distort: (body) => distort(body),
      async beforeAnswer() {
        if (options.deliversFirst) await deliveries.deliver();
      },
    },
    options.serve,
  );

  return Object.assign(deliveries, server, {
    addPayer,
    behave: (payerId: string, behavior: PayerBehavior) => void behaviors.set(payerId, behavior),
    act,
    settle,
    openDispute,
    closeDispute,
    revokeTokens: () => tokens.clear(),
    failTokens(times: number) {
      failingTokens = times;
    },
    balance(currency: string) {
      const rows = moved.filter(({ amount }) => amount.currency_code === currency);
      return moneyOf(
        currency,
        rows.reduce((sum, { amount }) => sum + unitsOf(amount.value), 0n),
      ).value;
    },
    sendEventsTo(url: string | null) {
      webhookUrl = url;
    },
    sign,
  });
}

type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const recordAt = (value: unknown): Json => (isRecord(value) ? value : {});
const listAt = (body: Json, name: string): unknown[] => (Array.isArray(body[name]) ? body[name] : []);
const textAt = (body: Json, name: string): string | undefined =>
  typeof body[name] === 'string' ? body[name] : undefined;

function optional<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  const found: { [Key in Name]?: string } = {};
  if (value !== undefined) found[name] = value;
  return found;
}

function moneyAt(value: unknown): FakeMoney {
  const { currency_code: currency, value: amount } = recordAt(value);
  if (typeof currency !== 'string' || !KNOWN.has(currency)) {
    throw problem(422, 'UNPROCESSABLE_ENTITY', 'CURRENCY_NOT_SUPPORTED');
  }
  const pattern = WHOLE.has(currency) ? /^\d{1,10}$/ : /^\d{1,10}\.\d{2}$/;
  if (typeof amount !== 'string' || !pattern.test(amount)) {
    throw problem(422, 'UNPROCESSABLE_ENTITY', 'DECIMAL_PRECISION');
  }
  return { currency_code: currency, value: amount };
}

/** In the smallest unit that PayPal writes. */
const unitsOf = (value: string): bigint => BigInt(value.replace('.', ''));

function moneyOf(currency: string, units: bigint): FakeMoney {
  const sign = units < 0n ? '-' : '';
  const digits = (units < 0n ? -units : units).toString().padStart(3, '0');
  const value = WHOLE.has(currency) ? `${Number(digits)}` : `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return { currency_code: currency, value: sign + value };
}

function problem(status: number, name: string, issue: string): FakeRefusal {
  return new FakeRefusal(status, { name, message: 'The request failed.', debug_id: 'fake', details: [{ issue }] });
}

/** The same answer with an unknown status, at every depth. */
function distort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(distort);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === 'status' ? 'QUANTUM' : distort(inner)]),
  );
}
