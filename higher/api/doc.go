// Package api is the Docker Engine API over HTTP (https://docs.docker.com/reference/api/engine/): routes, versions,
// the shapes of requests and answers. What an answer says comes from a Backend.
//
// The wire types are those of github.com/moby/moby/api; a handler decodes, calls one method, and encodes.
package api
