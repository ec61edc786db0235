import { IsString, Matches, MaxLength } from 'class-validator';

const LONGEST = 255;

/**
 * What git takes for a branch (git-check-ref-format(1), rules 1 to 9): no part begins with a dot or ends in `.lock`, no
 * `..`, `@{`, `//`, no blank, control character or any of `~^:?*[\`, neither slash nor dot at an end, no dash in front.
 */
const BRANCH = /^(?!@$)(?!-)(?!\/)(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))(?!\.)[^\p{Cc}\p{Zs}~^:?*[\\]+(?<![./])$/u;

/** The name of a git branch. */
export function IsBranchName(): PropertyDecorator {
  return (target, property) => {
    IsString()(target, property as string);
    MaxLength(LONGEST)(target, property as string);
    Matches(BRANCH, { message: 'must be the name of a git branch' })(target, property as string);
  };
}
