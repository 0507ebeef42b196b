CREATE TABLE persons (
    person_id VARCHAR(80) NOT NULL,
    cpf_index VARCHAR(80) NOT NULL,
    PRIMARY KEY (person_id)
)
 WITHOUT ROWID;
CREATE TABLE customers (
    customer_id VARCHAR(64) NOT NULL,
    person_id VARCHAR(80) NOT NULL,
    profile_version BIGINT NOT NULL,
    cpf_index VARCHAR(80) NOT NULL,
    status VARCHAR(16) NOT NULL,
    monthly_income BIGINT,
    existing_debts BIGINT,
    credit_score INTEGER,
    profile BLOB NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (customer_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_customer_cpf ON customers (cpf_index);
CREATE INDEX idx_customer_status ON customers (status);
CREATE INDEX idx_customer_person ON customers (person_id);
CREATE TABLE transactions (
    event_id VARCHAR(36) NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    source VARCHAR(64) NOT NULL,
    incarnation BIGINT NOT NULL,
    source_version BIGINT NOT NULL,
    occurred_us BIGINT NOT NULL,
    month BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    limit_amount BIGINT NOT NULL,
    late BIGINT NOT NULL,
    reverses VARCHAR(36) NOT NULL,
    reversed SMALLINT NOT NULL,
    applied_us BIGINT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (event_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_customer_transaction ON transactions (customer_id, occurred_us);
CREATE INDEX idx_transaction_date ON transactions (occurred_us);
CREATE TABLE inbox (
    event_id VARCHAR(36) NOT NULL,
    stream_id VARCHAR(200) NOT NULL,
    source_version BIGINT NOT NULL,
    body_hash BLOB NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (event_id),
    CONSTRAINT uq_inbox_stream UNIQUE (stream_id, source_version)
)
 WITHOUT ROWID;
CREATE TABLE parked_events (
    parked_id VARCHAR(80) NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    reason VARCHAR(64) NOT NULL,
    detail VARCHAR(255) NOT NULL,
    sealed_payload BLOB NOT NULL,
    parked_us BIGINT NOT NULL,
    PRIMARY KEY (parked_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_parked_customer ON parked_events (customer_id, state);
CREATE TABLE ingestion_batches (
    batch_id VARCHAR(36) NOT NULL,
    shard_id VARCHAR(64) NOT NULL,
    first_sequence VARCHAR(64) NOT NULL,
    last_sequence VARCHAR(64) NOT NULL,
    records BIGINT NOT NULL,
    applied BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    parked BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    started_us BIGINT NOT NULL,
    finished_us BIGINT NOT NULL,
    code_version VARCHAR(64) NOT NULL,
    PRIMARY KEY (batch_id)
)
 WITHOUT ROWID;
CREATE TABLE credit_policies (
    policy_id VARCHAR(64) NOT NULL,
    version INTEGER NOT NULL,
    content_hash VARCHAR(80) NOT NULL,
    product VARCHAR(64) NOT NULL,
    title VARCHAR(200) NOT NULL,
    status VARCHAR(16) NOT NULL,
    document BLOB NOT NULL,
    parts BLOB NOT NULL,
    published_us BIGINT NOT NULL,
    PRIMARY KEY (policy_id, version)
)
 WITHOUT ROWID;
CREATE TABLE dated_tables (
    content_hash VARCHAR(80) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    name VARCHAR(64) NOT NULL,
    document BLOB NOT NULL,
    published_us BIGINT NOT NULL,
    PRIMARY KEY (content_hash)
)
 WITHOUT ROWID;
CREATE TABLE credit_decisions (
    decision_id VARCHAR(36) NOT NULL,
    client_id VARCHAR(128) NOT NULL,
    idem_key VARCHAR(255) NOT NULL,
    command_hash VARCHAR(80) NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    person_id VARCHAR(80) NOT NULL,
    product VARCHAR(64) NOT NULL,
    amount BIGINT NOT NULL,
    term_months INTEGER NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    policy_id VARCHAR(64) NOT NULL,
    policy_version INTEGER NOT NULL,
    score INTEGER,
    band VARCHAR(16) NOT NULL,
    decided_us BIGINT NOT NULL,
    decision_date VARCHAR(10) NOT NULL,
    duplicate_of VARCHAR(36) NOT NULL,
    reviewed_decision VARCHAR(36) NOT NULL,
    lane VARCHAR(36) NOT NULL,
    lane_seq BIGINT NOT NULL,
    salt BLOB NOT NULL,
    content_hash BLOB NOT NULL,
    evidence BLOB,
    reply BLOB,
    PRIMARY KEY (decision_id),
    CONSTRAINT uq_decision_key UNIQUE (client_id, idem_key)
)
 WITHOUT ROWID;
CREATE INDEX idx_combined_customer_status ON credit_decisions (customer_id, outcome, decision_date);
CREATE INDEX idx_decision_date ON credit_decisions (decision_date);
CREATE INDEX idx_decision_newest ON credit_decisions (decided_us, decision_id);
CREATE INDEX idx_customer_decision ON credit_decisions (customer_id, decision_date);
CREATE INDEX idx_decision_person ON credit_decisions (person_id, decided_us);
CREATE INDEX idx_decision_lane ON credit_decisions (lane, lane_seq);
CREATE TABLE reservations (
    decision_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(80) NOT NULL,
    state VARCHAR(16) NOT NULL,
    principal BIGINT NOT NULL,
    instalment BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (decision_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_reservation_open ON reservations (person_id, state, expires_us, principal, instalment);
CREATE TABLE offers (
    offer_id VARCHAR(36) NOT NULL,
    decision_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(80) NOT NULL,
    principal BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    terms BLOB NOT NULL,
    PRIMARY KEY (offer_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_offer_decision ON offers (decision_id);
CREATE TABLE contracts (
    contract_id VARCHAR(36) NOT NULL,
    decision_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(80) NOT NULL,
    state VARCHAR(16) NOT NULL,
    outstanding BIGINT NOT NULL,
    instalment BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (contract_id),
    CONSTRAINT uq_contract_decision UNIQUE (decision_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_contract_person ON contracts (person_id, state);
CREATE TABLE outbox (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    event_id VARCHAR(36) NOT NULL,
    aggregate_type VARCHAR(64) NOT NULL,
    aggregate_id VARCHAR(64) NOT NULL,
    aggregate_seq BIGINT NOT NULL,
    type VARCHAR(64) NOT NULL,
    partition_key VARCHAR(64) NOT NULL,
    payload BLOB NOT NULL,
    created_us BIGINT NOT NULL,
    CONSTRAINT uq_outbox_seq UNIQUE (aggregate_type, aggregate_id, aggregate_seq)
);
CREATE TABLE ledger_batches (
    lane VARCHAR(36) NOT NULL,
    sequence BIGINT NOT NULL,
    previous_hash BLOB NOT NULL,
    root BLOB NOT NULL,
    leaves BLOB NOT NULL,
    n INTEGER NOT NULL,
    note VARCHAR(2000) NOT NULL,
    written_us BIGINT NOT NULL,
    PRIMARY KEY (lane, sequence)
)
 WITHOUT ROWID;
CREATE TABLE reviews (
    review_id VARCHAR(36) NOT NULL,
    decision_id VARCHAR(36) NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    cause VARCHAR(32) NOT NULL,
    opened_us BIGINT NOT NULL,
    closed_by VARCHAR(36) NOT NULL,
    reviewer VARCHAR(128) NOT NULL,
    note VARCHAR(1000) NOT NULL,
    closed_us BIGINT NOT NULL,
    PRIMARY KEY (review_id)
)
 WITHOUT ROWID;
CREATE INDEX idx_review_state ON reviews (state, opened_us);
CREATE INDEX idx_review_newest ON reviews (opened_us, review_id);
CREATE INDEX idx_review_decision ON reviews (decision_id);
CREATE TABLE idempotency_keys (
    scope VARCHAR(255) NOT NULL,
    idem_key VARCHAR(128) NOT NULL,
    command_hash VARCHAR(80) NOT NULL,
    status INTEGER NOT NULL,
    reply BLOB,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (scope, idem_key)
)
 WITHOUT ROWID;
