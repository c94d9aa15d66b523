// Package inspect is what the inspect commands of all nouns share.
package inspect
