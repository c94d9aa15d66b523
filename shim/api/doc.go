// Package api has the messages between containerd and a shim: those of the task service
// (api/runtime/task/v2/shim.proto, which version 3 shares), of task events (api/events/task.proto), of runc's
// options (api/types/runc/options/oci.proto) and of a shim's start-up (api/runtime/bootstrap/v1/bootstrap.proto).
package api
