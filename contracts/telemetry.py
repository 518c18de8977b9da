"""Names of the span attributes that services may set. A name is declared here before it is used anywhere.

Random ids, counts and codes only: no address, name, token or body may become an attribute.
"""

CAMPAIGN_ID = "campaign.id"
COMMITMENT_ID = "commitment.id"
SUPPLIER_ID = "supplier.id"
PLAN_ID = "plan.id"
INTENT_ID = "intent.id"
INTENT_PURPOSE = "intent.purpose"
MESSAGE_ID = "messaging.message.id"
MESSAGING_SYSTEM = "messaging.system"
MESSAGING_OPERATION_NAME = "messaging.operation.name"
MESSAGING_OPERATION_TYPE = "messaging.operation.type"
MESSAGING_DESTINATION = "messaging.destination.name"
MESSAGING_CONSUMER_GROUP = "messaging.consumer.group.name"
MESSAGING_BATCH_COUNT = "messaging.batch.message_count"
MESSAGING_KAFKA_KEY = "messaging.kafka.message.key"
MESSAGING_KAFKA_OFFSET = "messaging.kafka.offset"
MESSAGING_PARTITION = "messaging.destination.partition.id"
BATCH_SPAN = "alpmera.batch.span"
STREAM = "alpmera.stream"
SEQ = "alpmera.seq"
OUTCOME = "alpmera.outcome"
HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
SERVICE_NAME = "service.name"
FORCE = "alpmera.force"

ALLOWED_ATTRIBUTES = frozenset(value for name, value in globals().items() if name.isupper() and isinstance(value, str))
