import { Component, type ComponentChildren, type FunctionComponent, h, type VNode } from 'preact';

/** A component that is drawn again only when `isSame` says that its properties differ. `preact/compat` has one too, and much else. */
export function memo<Properties extends object>(
  draw: (properties: Properties) => VNode,
  isSame: (before: Properties, after: Properties) => boolean,
): FunctionComponent<Properties> {
  class Memo extends Component<Properties> {
    override shouldComponentUpdate(next: Readonly<Properties>): boolean {
      return !isSame(this.props, next);
    }

    override render(): ComponentChildren {
      return draw(this.props);
    }
  }
  return (properties) => h(Memo as never, properties);
}
