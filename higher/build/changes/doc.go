// Package changes applies instructions of a Dockerfile to the config of an image, as `docker commit --change` and
// `docker import --change` have them: those that change nothing but the config
// (https://docs.docker.com/reference/dockerfile/).
package changes
