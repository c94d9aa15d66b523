/*
 * LD_PRELOADed into crun on hosts without CAP_SYS_RESOURCE: it insists on raising RLIMIT_MEMLOCK, so that
 * one call is answered with success.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return resource == RLIMIT_MEMLOCK ? 0 : prlimit(0, resource, limit, 0);
}
