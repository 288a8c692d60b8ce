// Generated from the migrated database by `node schema-types.ts`; a test proves that it is current.
import type { ColumnType, GeneratedAlways } from "kysely";

type Timestamp = ColumnType<Date, Date | string, Date | string>;
/** Written as JSON text (`JSON.stringify`): given an array, pg would send a PostgreSQL array. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = ColumnType<any, string, string>;
type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U>
    ? ColumnType<S, I | undefined, U>
    : ColumnType<T, T | undefined, T>;

export interface Schema {
  api_requests: {
    company_id: string;
    key: string;
    route: string;
    request_hash: string;
    status: number;
    response: Json;
    created_at: Generated<Timestamp>;
  };
  attempt: {
    event_id: string;
    consumer: number;
    n: number;
    running: boolean;
    started_at: Generated<Timestamp>;
  };
  audit_log: {
    company_id: string;
    id: string;
    actor_type: "staff" | "device" | "system" | "customer";
    actor_id: string | null;
    action: string;
    subject_type: string;
    subject_id: string;
    detail: Generated<Json>;
    occurred_at: Generated<Timestamp>;
  };
  buyback_identities: {
    company_id: string;
    id: string;
    buyback_id: string;
    name: string;
    address: string;
    occupation: string;
    birth_date: string;
    document_kind:
      | "driving_licence"
      | "my_number_card"
      | "passport"
      | "residence_card"
      | "health_insurance"
      | "student_id"
      | "other";
    document_no: string | null;
    guardian_consent: string | null;
    checked_by: string;
    checked_at: Timestamp;
    keep_until: string;
  };
  buyback_lines: {
    company_id: string;
    buyback_id: string;
    line_no: number;
    item_id: string;
    condition: string;
    name: string;
    category: string;
    identity_always: boolean;
    features: string | null;
    qty: number;
    unit_price_yen: number;
    accepted: boolean | null;
  };
  buybacks: {
    company_id: string;
    id: string;
    store_id: string;
    state: Generated<"appraised" | "agreed" | "paid_out" | "declined">;
    total_yen: number;
    identity_duty: boolean;
    identity_id: string | null;
    appraised_by: string;
    appraised_at: Timestamp;
    agreed_at: Timestamp | null;
    payout_id: string | null;
    session_id: string | null;
    business_date: string | null;
    paid_by: string | null;
    paid_at: Timestamp | null;
    declined_by: string | null;
    declined_at: Timestamp | null;
    decline_reason: string | null;
    police_report: Generated<boolean>;
  };
  cash_moves: {
    company_id: string;
    id: string;
    session_id: string;
    kind: "sale" | "void" | "refund" | "buyback" | "paid_in" | "paid_out" | "bank";
    amount_yen: number;
    source_type: string;
    source_id: string;
    note: string | null;
    occurred_at: Timestamp;
  };
  categories: {
    company_id: string;
    id: string;
    code: string;
    name: string;
    parent_id: string | null;
    tax_class: "standard" | "reduced" | "exempt";
    identity_always: Generated<boolean>;
    position: Generated<number>;
  };
  companies: {
    id: string;
    code: string;
    name: string;
    invoice_no: string | null;
    tax_rounding: Generated<"floor" | "round" | "ceil">;
    antique_permit_no: string | null;
    antique_authority: string | null;
    storefront_host: string | null;
    contact_email: string | null;
    bank_account: string | null;
    shipping_yen: Generated<number>;
    legal: Generated<Json>;
    created_at: Generated<Timestamp>;
  };
  conditions: {
    company_id: string;
    code: string;
    name: string;
    rank: number;
  };
  consumer: {
    id: GeneratedAlways<number>;
    name: string;
  };
  daily_totals: {
    company_id: string;
    store_id: string;
    business_date: string;
    sales_count: Generated<number>;
    voided_count: Generated<number>;
    items_qty: Generated<number>;
    gross_yen: Generated<number>;
    tax_yen: Generated<number>;
    by_rate: Generated<Json>;
    by_method: Generated<Json>;
    cash_yen: Generated<number>;
    computed_at: Generated<Timestamp>;
    refunds_count: Generated<number>;
    refunded_yen: Generated<number>;
    refunded_tax_yen: Generated<number>;
    refunded_by_rate: Generated<Json>;
    buybacks_count: Generated<number>;
    buyback_yen: Generated<number>;
  };
  inbox: {
    event_id: string;
    consumer: number;
  };
  item_conditions: {
    company_id: string;
    item_id: string;
    condition: string;
  };
  items: {
    company_id: string;
    id: string;
    code: string;
    name: string;
    kana: string | null;
    category_id: string;
    tax_class: "standard" | "reduced" | "exempt";
    maker: string | null;
    released_on: string | null;
    list_price_yen: number | null;
    attrs: Generated<Json>;
    revision: Generated<number>;
    retired_at: Timestamp | null;
    search_text: Generated<string>;
    created_at: Generated<Timestamp>;
  };
  listings: {
    company_id: string;
    id: string;
    mall_account_id: string;
    item_id: string;
    condition: string;
    mall_sku: string;
    wanted_qty: Generated<number>;
    pushed_qty: number | null;
    wanted_price_yen: number;
    pushed_price_yen: number | null;
    seq: Generated<number>;
    pushed_at: Timestamp | null;
    ended_at: Timestamp | null;
  };
  mall_accounts: {
    company_id: string;
    id: string;
    code: string;
    name: string;
    mail_key: string;
    rate_per_second: Generated<number>;
    secret_name: string;
    closed_at: Timestamp | null;
  };
  mall_orders: {
    company_id: string;
    mall_account_id: string;
    mall_order_no: string;
    order_id: string | null;
    raw: Json;
    fetched_at: Generated<Timestamp>;
  };
  migration: {
    name: string;
    hash: string;
    applied_at: Generated<Timestamp>;
  };
  notices: {
    company_id: string;
    id: string;
    store_id: string | null;
    kind: string;
    params: Generated<Json>;
    dedupe_key: string;
    created_at: Generated<Timestamp>;
    read_at: Timestamp | null;
  };
  notifications: {
    company_id: string;
    id: string;
    kind: string;
    channel: Generated<string>;
    recipient: string;
    params: Generated<Json>;
    dedupe_key: string;
    state: Generated<"pending" | "sent" | "failed">;
    attempts: Generated<number>;
    provider_ref: string | null;
    error: string | null;
    created_at: Generated<Timestamp>;
    sent_at: Timestamp | null;
  };
  operator_log: {
    id: string;
    at: Generated<Timestamp>;
    login: Generated<string>;
    actor: string;
    approver: string | null;
    action: string;
    workload: string | null;
    subject: string | null;
    reason: string | null;
    detail: Generated<Json>;
  };
  order_lines: {
    company_id: string;
    order_id: string;
    line_no: number;
    item_id: string | null;
    condition: string | null;
    name: string;
    tax_class: "standard" | "reduced" | "exempt";
    rate_pct: number;
    unit_price_yen: number;
    qty: number;
    amount_yen: GeneratedAlways<number>;
  };
  order_taxes: {
    company_id: string;
    order_id: string;
    rate_pct: number;
    gross_yen: number;
    tax_yen: number;
  };
  orders: {
    company_id: string;
    id: string;
    no: string;
    channel: "ec" | "mall";
    state:
      | "awaiting_payment"
      | "paid"
      | "short"
      | "picking"
      | "shipped"
      | "completed"
      | "expired"
      | "cancelling"
      | "cancelled";
    version: Generated<number>;
    email: string | null;
    method: string;
    shipping_yen: Generated<number>;
    total_yen: number;
    deadline: Timestamp | null;
    ship_to: Generated<Json>;
    token_hash: string | null;
    mall_account_id: string | null;
    mall_order_no: string | null;
    reason: string | null;
    placed_at: Timestamp;
    updated_at: Generated<Timestamp>;
  };
  outbox: {
    id: GeneratedAlways<number>;
    shard: number;
    tenant: string;
    topic: string;
    group_id: string;
    event_id: string;
    seq: number | null;
    type: string;
    version: number;
    payload: string;
    traceparent: string | null;
    causation_id: string | null;
    created_at: Generated<Timestamp>;
    attempts: Generated<number>;
    blocked_at: Timestamp | null;
    error: string | null;
  };
  parked: {
    consumer: number;
    group_id: string;
    n: GeneratedAlways<number>;
    event_id: string | null;
    type: string | null;
    body: string;
    error: string | null;
    attempts: Generated<number>;
    parked_at: Generated<Timestamp>;
  };
  parked_group: {
    consumer: number;
    group_id: string;
    reason: string;
    parked_at: Generated<Timestamp>;
    replay_at: Timestamp | null;
    replay_rate: number | null;
    replaying: string | null;
  };
  payments: {
    company_id: string;
    id: string;
    sale_id: string | null;
    order_id: string | null;
    method: string;
    amount_yen: number;
    captured_yen: Generated<number>;
    refunded_yen: Generated<number>;
    state: "pending" | "captured" | "failed" | "expired" | "cancelled" | "refunded" | "uncertain";
    provider: string;
    provider_ref: string | null;
    idempotency_key: string;
    created_at: Generated<Timestamp>;
  };
  products: {
    company_id: string;
    id: string;
    store_id: string;
    item_id: string;
    condition: string;
    price_yen: number;
    online: Generated<boolean>;
    safety_qty: Generated<number>;
    closed_at: Timestamp | null;
    created_at: Generated<Timestamp>;
  };
  receiving_lines: {
    company_id: string;
    receiving_id: string;
    line_no: number;
    product_id: string;
    qty: number;
    unit_cost_yen: number;
  };
  receivings: {
    company_id: string;
    id: string;
    store_id: string;
    supplier_name: string | null;
    staff_id: string | null;
    state: Generated<string>;
    received_at: Timestamp;
  };
  refund_lines: {
    company_id: string;
    sale_id: string;
    refund_id: string;
    line_no: number;
    qty: number;
    amount_yen: number;
    restock: boolean;
  };
  refund_payments: {
    company_id: string;
    sale_id: string;
    refund_id: string;
    line_no: number;
    amount_yen: number;
  };
  refund_taxes: {
    company_id: string;
    sale_id: string;
    refund_id: string;
    rate_pct: number;
    gross_yen: number;
    tax_yen: number;
  };
  refunds: {
    company_id: string;
    id: string;
    sale_id: string;
    n: number;
    store_id: string;
    session_id: string;
    register_id: string;
    business_date: string;
    staff_id: string;
    reason: string;
    total_yen: number;
    refunded_at: Timestamp;
  };
  register_sessions: {
    company_id: string;
    id: string;
    store_id: string;
    register_id: string;
    business_date: string;
    float_yen: number;
    opened_at: Timestamp;
    opened_by: string;
    closed_at: Timestamp | null;
    closed_by: string | null;
    expected_yen: number | null;
    counted: Json | null;
    counted_yen: number | null;
    difference_yen: GeneratedAlways<number | null>;
  };
  registers: {
    company_id: string;
    id: string;
    store_id: string;
    code: string;
    device_hash: string | null;
    enrolment_hash: string | null;
    enrolment_expires_at: Timestamp | null;
    enrolled_at: Timestamp | null;
    last_seq: Generated<number>;
  };
  relay_member: {
    id: string;
    pid: number;
    shards: Generated<number>;
    since: Generated<Timestamp>;
    seen_at: Generated<Timestamp>;
  };
  reservations: {
    company_id: string;
    id: string;
    product_id: string;
    owner_type: "sale" | "order";
    owner_id: string;
    line_no: number;
    qty: number;
    state: Generated<"held" | "consumed" | "released">;
    expires_at: Timestamp | null;
    created_at: Generated<Timestamp>;
    ended_at: Timestamp | null;
  };
  sale_lines: {
    company_id: string;
    sale_id: string;
    line_no: number;
    product_id: string | null;
    code: string | null;
    name: string;
    condition: string | null;
    tax_class: "standard" | "reduced" | "exempt";
    rate_pct: number;
    unit_price_yen: number;
    qty: number;
    line_discount_yen: Generated<number>;
    spread_discount_yen: Generated<number>;
    amount_yen: GeneratedAlways<number>;
  };
  sale_payments: {
    company_id: string;
    sale_id: string;
    line_no: number;
    method: "cash" | "card" | "qr";
    amount_yen: number;
    tendered_yen: number | null;
    payment_id: string | null;
  };
  sale_taxes: {
    company_id: string;
    sale_id: string;
    rate_pct: number;
    gross_yen: number;
    tax_yen: number;
  };
  sales: {
    company_id: string;
    id: string;
    store_id: string;
    session_id: string;
    register_id: string;
    register_seq: number;
    receipt_no: string;
    business_date: string;
    staff_id: string;
    email: string | null;
    total_yen: number;
    state: Generated<"completed" | "voided">;
    completed_at: Timestamp;
    voided_at: Timestamp | null;
    voided_by: string | null;
    void_reason: string | null;
  };
  schedules: {
    company_id: string;
    id: string;
    kind:
      | "order.deadline"
      | "payment.inquiry"
      | "mall.poll"
      | "price.change"
      | "announcement"
      | "notification.retry";
    subject_id: string;
    due_at: Timestamp;
    attempt: Generated<number>;
    state: Generated<"planned" | "claimed" | "cancelled">;
    claimed_at: Timestamp | null;
  };
  shipment_lines: {
    company_id: string;
    shipment_id: string;
    line_no: number;
    order_line_no: number;
    product_id: string;
    qty: number;
  };
  shipments: {
    company_id: string;
    id: string;
    order_id: string;
    store_id: string;
    state: Generated<"planned" | "picking" | "dispatched" | "cancelled">;
    carrier: string | null;
    tracking_no: string | null;
    dispatched_at: Timestamp | null;
  };
  staff: {
    company_id: string;
    id: string;
    code: string;
    name: string;
    role: "owner" | "manager" | "clerk";
    pin_hash: string;
    failed: Generated<number>;
    locked_until: Timestamp | null;
    retired_at: Timestamp | null;
  };
  staff_stores: {
    company_id: string;
    staff_id: string;
    store_id: string;
  };
  stock_levels: {
    company_id: string;
    product_id: string;
    on_hand: Generated<number>;
    reserved: Generated<number>;
    available: GeneratedAlways<number>;
    seq: Generated<number>;
  };
  stock_moves: {
    company_id: string;
    id: string;
    product_id: string;
    qty: number;
    kind:
      | "opening"
      | "receive"
      | "buyback"
      | "sale"
      | "void"
      | "refund"
      | "ship"
      | "return"
      | "count"
      | "adjust";
    source_type: string;
    source_id: string;
    line_no: number;
    unit_cost_yen: number | null;
    occurred_at: Timestamp;
    recorded_at: Generated<Timestamp>;
  };
  stock_snapshots: {
    company_id: string;
    product_id: string;
    business_date: string;
    on_hand: number;
    reserved: number;
  };
  stores: {
    company_id: string;
    id: string;
    code: string;
    name: string;
    address: string | null;
    phone: string | null;
    day_starts_at: Generated<string>;
    ships_online: Generated<boolean>;
    allocation_rank: Generated<number>;
  };
  tax_rates: {
    tax_class: "standard" | "reduced" | "exempt";
    valid: string;
    rate_pct: number;
  };
}
