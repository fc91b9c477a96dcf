#include "manage/op_status.h"

unsigned op_status(enum op_rc rc)
{
	switch (rc) {
	case OP_OK:
		return 0;
	case OP_EXISTS:
	case OP_STALE:
	case OP_IN_USE:
		return 409;
	case OP_MISSING:
		return 404;
	case OP_INVALID:
	case OP_READ_ONLY:
	case OP_LIMIT:
		break;
	}
	return 400;
}
